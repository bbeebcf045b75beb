import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problemType } from './answers.js';
import { malformed, problemOf, Refusal } from './problem.js';

/** How long a request may take to come. */
export const requestTimeoutMs = 30_000;

/** What no request could be made of is answered with a problem too; nothing more can be read from its connection. */
export function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = problemOf(refusalOf(error), '/');
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function refusalOf({ code, message }: Error & { readonly code?: string }): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Refusal('request_timeout', `the request did not come within ${requestTimeoutMs / 1_000} s: send it again`);
  if (code === 'HPE_HEADER_OVERFLOW') return malformed('headers', 'the headers are longer than 16 KiB: send shorter ones');
  return malformed('request', `the request is not HTTP/1.1: ${message}`);
}
