import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Injectable, Logger } from '@nestjs/common';
import { EventStore } from '../../event-store/event-store.js';
import type { Position } from '../../events/event.js';
import { positionFrom } from '../../events/positions.js';
import type { Exchange } from '../call.js';
import { Drain } from '../drain.js';
import { malformed, Refusal } from '../problem.js';
import { LiveLog } from './live-log.js';
import { LiveStream, type StreamTimes } from './live-stream.js';
import { beforeAll } from './messages.js';
import type { StreamFilter } from './stream-filter.js';

export interface StreamLimits extends StreamTimes {
  /** at once, of this process */
  readonly connections: number;
}

const usual: StreamLimits = { connections: 250, beatMs: 15_000, stalledMs: 30_000, dashboardMs: 1_000, retryMs: 1_000 };

/** The connections of those who follow the log. */
@Injectable()
export class LiveStreams {
  private limits = usual;
  private open = 0;

  constructor(
    private readonly store: EventStore,
    private readonly log: LiveLog,
    private readonly drain: Drain,
  ) {}

  /** Open now, of this process. */
  get count(): number {
    return this.open;
  }

  /** Others than usual; of the streams that begin after it. */
  limit(limits: Partial<StreamLimits> = {}): void {
    this.limits = { ...this.limits, ...limits };
  }

  /** Answers with the stream, from behind `after` (as it was typed) or from the head on; resolves when it is over. Throws before it has begun. */
  async answer(call: Exchange, filter: StreamFilter, after: string | undefined): Promise<void> {
    if (this.open >= this.limits.connections)
      throw new Refusal(
        'too_many_streams',
        `${this.open} clients follow this server's log, which is all that it takes: come back later`,
      );
    this.open += 1;
    try {
      const place = await this.placeOf(after);
      await this.serve(call, filter, place);
    } finally {
      this.open -= 1;
    }
  }

  /** No client was ever given a position that the log does not have, unless the log is another one than it was. */
  private async placeOf(typed: string | undefined): Promise<Position> {
    const head = (await this.store.head()) || beforeAll;
    const after = typed === undefined ? head : positionFrom(typed, head);
    if (after <= head) return after;
    throw malformed(
      'Last-Event-ID',
      `Last-Event-ID is ${after}, and this ledger ends at ${head}: it was restored, or is another one; read what there is, and follow it without Last-Event-ID`,
    );
  }

  private async serve(call: Exchange, filter: StreamFilter, after: Position): Promise<void> {
    const { reply, request } = call;
    const gone = closing(request.raw.socket);
    const ended = AbortSignal.any([this.drain.signal, gone]);
    reply.hijack();
    // What is written to a connection that is about to close fails; its closing says the same.
    reply.raw.on('error', () => {}).writeHead(200, headers);
    if (request.method === 'HEAD') return void reply.raw.end();
    const stream = new LiveStream(reply.raw, filter, this.limits, after);
    const stalled = stream.run(this.log, ended).then(() => 'nothing was read for too long', failed);
    // Not when a page has come that is being read: the end of a server waits for none.
    const over = end(ended).then(() => 'the server shuts down');
    const reason = await Promise.race([over, stalled]);
    if (gone.aborted) return;
    stream.end(reason);
    await end(gone);
  }
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // What buffers answers on the way would hold messages back.
  'x-accel-buffering': 'no',
  // Nothing is asked on it afterwards, so it need not be waited for at the end of the server.
  connection: 'close',
};

/** Of the socket, because an answer that waits behind another one on it may never close. */
function closing(socket: Socket): AbortSignal {
  const gone = new AbortController();
  if (socket.destroyed) gone.abort();
  socket.once('close', () => gone.abort());
  return gone.signal;
}

async function end(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function failed(error: unknown): string {
  new Logger('stream').error(error instanceof Error ? error.stack : error);
  return 'the ledger failed at this; its log says why';
}
