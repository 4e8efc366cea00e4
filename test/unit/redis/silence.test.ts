import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../src/redis/redis-client.ts';
import { createSilence, type Silence } from '../../../src/redis/silence.ts';

class FakeClient extends EventEmitter {
  readonly isCluster = false;
  status = 'ready';
  ping = async (): Promise<string> => 'PONG';
  go(status: 'ready' | 'close', error?: string): void {
    this.status = status;
    if (error !== undefined) this.emit('error', new Error(error));
    this.emit(status);
  }
}

let client: FakeClient;
let forgotten: number;
let silence: Silence;

beforeEach(() => {
  client = new FakeClient();
  forgotten = 0;
  // The connection, as far as a silence looks at it.
  silence = createSilence(client as unknown as RedisClient, true, { onEnd: () => (forgotten += 1) });
  silence.end();
  forgotten = 0;
});

describe('a silence of Redis', () => {
  it('is none because a connection was lost', () => {
    silence.begin(false);
    client.go('close');
    expect(silence.isOn()).toBe(false);
    client.go('ready');
    silence.end();
    expect([silence.isOn(), forgotten]).toEqual([false, 1]);
  });

  it('begins when no other connection can be made, and ends before anything was asked', () => {
    silence.begin(false);
    client.go('close');
    client.go('close', 'connect ECONNREFUSED 127.0.0.1:6379');
    expect(silence.isOn()).toBe(true);
    client.go('ready');
    expect([silence.isOn(), forgotten]).toEqual([false, 0]);
    silence.end();
    expect(forgotten).toBe(1);
  });

  it('begins when it was asked and gave no answer', () => {
    silence.begin(true);
    client.go('close');
    expect(silence.isOn()).toBe(true);
  });

  it('is none where it answers that it will not', () => {
    silence.begin(false);
    client.go('close');
    client.go('close', 'Ready check failed: NOAUTH Authentication required.');
    expect([silence.isOn(), forgotten]).toEqual([false, 1]);
  });

  it('is none where only the other connection was lost', async () => {
    silence.begin(false);
    await client.ping();
    expect([silence.isOn(), forgotten]).toEqual([false, 1]);
  });

  it('is not ended by what a connection says that is given up', () => {
    silence.begin(true);
    client.go('close');
    silence.end();
    expect([silence.isOn(), forgotten]).toEqual([true, 0]);
  });
});
