import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import type { Exchange } from './call.js';

const patienceMs = 10_000;

/**
 * The end of a server: from its beginning on it is not ready, takes no new requests, and long polls are answered; what is in
 * flight is finished. After ten seconds, whatever is left is cut off.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private readonly draining = new AbortController();
  readonly signal: AbortSignal = this.draining.signal;

  constructor(private readonly adapter: HttpAdapterHost) {}

  beforeApplicationShutdown(): void {
    this.draining.abort();
    // A process without the role api has no server.
    const server: Server | undefined = this.adapter.httpAdapter?.getHttpServer();
    setTimeout(() => server?.closeAllConnections(), patienceMs).unref();
  }

  /** Ends when the client has gone, or the server drains. */
  signalFor({ reply }: Exchange): AbortSignal {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return AbortSignal.any([this.signal, gone.signal]);
  }
}
