/** PUT of one image, with progress. XMLHttpRequest, since fetch says nothing of a body on its way. */
import { authorization, readProblem, type Problem } from '../pages/call-server.ts';

export interface ImageToPut {
  readonly id: string;
  readonly body: Blob;
  readonly topic: string;
  /** Set: not final yet. */
  readonly partial?: number;
}

/** A phone on a bad network may take its time; forever it may not. */
const TIMEOUT_MS = 5 * 60_000;

function addressOf({ id, topic, partial }: ImageToPut): string {
  const path = id.split('/').map(encodeURIComponent).join('/');
  const query = new URLSearchParams();
  if (topic !== '') query.set('topic', topic);
  if (partial !== undefined) query.set('partial', String(partial));
  return new URL(`images/${path}?${query}`, document.baseURI).href;
}

/** The problem, or undefined when the server has it. Never rejects. */
export function putImage(
  image: ImageToPut,
  onProgress: (ratio: number) => void = () => {},
): Promise<Problem | undefined> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('PUT', addressOf(image));
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader('Content-Type', image.body.type || 'application/octet-stream');
    for (const [name, value] of Object.entries(authorization('write') ?? {}))
      request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress(total > 0 ? loaded / total : 0),
    );
    request.addEventListener('loadend', () => {
      const isTaken = request.status >= 200 && request.status < 300;
      resolve(isTaken ? undefined : readProblem(request.status, request.responseText));
    });
    request.send(image.body);
  });
}
