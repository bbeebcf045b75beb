import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { pause } from '../pause.js';
import type { Exchange } from './call.js';

/** How long nobody has asked for anything when everybody can be taken to have noticed. */
const quietMs = 1_000;
/** At the latest then, who still asks is turned away. */
const noticeMs = 5_000;
const patienceMs = 10_000;
const lookEveryMs = 20;

/**
 * The end of a server, in two steps. From `leave` on it is not ready and long polls are answered; whatever is asked is answered all the
 * same, with the word that its connection closes, until whoever sends requests has noticed. From `close` on it takes no new requests;
 * what is in flight is finished. Ten seconds after the beginning, whatever is left is cut off.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private readonly leaving = new AbortController();
  private readonly closing = new AbortController();
  /** from the first step on */
  readonly signal: AbortSignal = this.leaving.signal;
  private askedAt = -Infinity;

  constructor(private readonly adapter: HttpAdapterHost) {}

  /** From the second step on. */
  get turnsAway(): boolean {
    return this.closing.signal.aborted;
  }

  /** Somebody relies on this server. */
  asked(): void {
    this.askedAt = performance.now();
  }

  /** Resolves when nobody can be expected to ask any more: at once when nobody is connected, nor has asked a moment ago. */
  async leave(): Promise<void> {
    this.begin();
    const leftAt = performance.now();
    const latest = leftAt + noticeMs;
    while (performance.now() < latest && !(await this.isQuietSince(leftAt))) await pause(lookEveryMs);
  }

  beforeApplicationShutdown(): void {
    this.begin();
    this.closing.abort();
  }

  /** Ends when the client has gone, or the server drains; of a request that comes while it does, when it takes no more. */
  signalFor({ reply }: Exchange): AbortSignal {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return AbortSignal.any([this.signal.aborted ? this.closing.signal : this.signal, gone.signal]);
  }

  private begin(): void {
    if (this.signal.aborted) return;
    this.leaving.abort();
    setTimeout(() => this.server?.closeAllConnections(), patienceMs).unref();
  }

  /** An open connection may be asked on at any time by somebody who has not noticed yet. */
  private async isQuietSince(leftAt: number): Promise<boolean> {
    const lastSign = (await this.connections()) > 0 ? Math.max(leftAt, this.askedAt) : this.askedAt;
    return performance.now() - lastSign > quietMs;
  }

  private connections(): Promise<number> {
    return new Promise((resolve) => {
      if (!this.server) return resolve(0);
      this.server.getConnections((error, count) => resolve(error ? 0 : count));
    });
  }

  /** A process without the role api has no server. */
  private get server(): Server | undefined {
    return this.adapter.httpAdapter?.getHttpServer();
  }
}
