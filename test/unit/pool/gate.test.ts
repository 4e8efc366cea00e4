import { describe, expect, it } from 'vitest';
import { createGate } from '../../../src/pool/gate.ts';

const never = new AbortController().signal;

/** Lets every settled promise call back. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('createGate', () => {
  it('admits up to its slots at once, then in the order of arrival', async () => {
    const gate = createGate(2, 10);
    const leaveFirst = await gate.acquire(never);
    await gate.acquire(never);
    const admitted: string[] = [];
    const third = gate.acquire(never).then((leave) => {
      admitted.push('third');
      return leave;
    });
    void gate.acquire(never).then(() => admitted.push('fourth'));
    await turn();
    expect(admitted).toEqual([]);
    leaveFirst();
    const leaveThird = await third;
    expect(admitted).toEqual(['third']);
    leaveThird();
    await turn();
    expect(admitted).toEqual(['third', 'fourth']);
    expect([gate.running(), gate.waiting()]).toEqual([2, 0]);
  });

  it('turns the next one away when its line is full', async () => {
    const gate = createGate(1, 1);
    const leave = await gate.acquire(never);
    const waiting = gate.acquire(never);
    await expect(gate.acquire(never)).rejects.toMatchObject({ code: 'overloaded' });
    leave();
    await waiting;
    expect([gate.running(), gate.waiting()]).toEqual([1, 0]);
  });

  it('lets who aborts leave the line, and the others move up', async () => {
    const gate = createGate(1, 2);
    const leave = await gate.acquire(never);
    const caller = new AbortController();
    const leaver = gate.acquire(caller.signal);
    const stayer = gate.acquire(never);
    caller.abort();
    await expect(leaver).rejects.toMatchObject({ code: 'request_aborted' });
    expect(gate.waiting()).toBe(1);
    leave();
    await stayer;
    expect(gate.running()).toBe(1);
  });

  it('never admits who has left before asking', async () => {
    const gate = createGate(1, 1);
    await expect(gate.acquire(AbortSignal.abort())).rejects.toMatchObject({ code: 'request_aborted' });
    expect(gate.running()).toBe(0);
  });

  it('gives a slot back once, however often it is told to', async () => {
    const gate = createGate(1, 5);
    const leave = await gate.acquire(never);
    leave();
    leave();
    expect(gate.running()).toBe(0);
    await gate.acquire(never);
    leave();
    expect(gate.running()).toBe(1);
  });

  it('turns everybody away once closed, but lets who is inside finish', async () => {
    const gate = createGate(1, 5);
    const leave = await gate.acquire(never);
    const waiting = gate.acquire(never);
    gate.close('shutting_down');
    await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(gate.acquire(never)).rejects.toMatchObject({ code: 'shutting_down' });
    leave();
    expect([gate.running(), gate.waiting()]).toEqual([0, 0]);
  });
});
