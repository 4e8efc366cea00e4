/** Heads of requests as clients write them on a socket of their own, and what their rows do many times over. */
import { expect } from 'vitest';
import type { FaultServer } from './fault-server.ts';

export const HOST = 'HTTP/1.1\r\nHost: x\r\n';

export function get(path: string): string {
  return `GET ${path} ${HOST}\r\n`;
}

/** The head only: the body is the test's, or never comes. */
export function put(id: string, length: number): string {
  return `PUT /images/${id} ${HOST}Content-Length: ${length}\r\n\r\n`;
}

export async function several<T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, async (_, at) => make(at)));
}

export async function store(server: FaultServer, id: string, image: Uint8Array): Promise<void> {
  expect((await server.ask(`/images/${id}`, { method: 'PUT', body: image })).status).toBe(201);
}
