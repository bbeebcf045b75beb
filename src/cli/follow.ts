import { backOff, pause } from '../pause.js';
import type { Client, Query } from './client.js';
import { EventStreamParser, type Message } from './event-stream.js';
import { mayPass } from './insist.js';
import { Unanswered } from './problem.js';

export interface Following {
  /** begins behind this position; without it, with what happens from now on */
  readonly since?: string;
  readonly signal: AbortSignal;
  /** told why the server ends a stream; and once when it has gone, and once when it is back */
  readonly note: (sentence: string) => void;
}

const waits = { firstMs: 250, mostMs: 10_000 };
/** The server shows that it lives every 15 s. */
const silenceMs = 45_000;

/**
 * The messages of the company's live stream, each once and in order, however often the connection is lost on the way. Ends with `signal`.
 * Throws what will not pass, and at first also when nobody listens.
 */
export async function* follow(client: Client, query: Query, { since, signal, note }: Following): AsyncGenerator<Message> {
  let last = since;
  let connected = false;
  let isGone = false;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const parser = new EventStreamParser(last);
    try {
      for await (const text of client.stream(['stream'], query, { lastEventId: last, signal, silenceMs })) {
        if (isGone) note('the ledger is back, and nothing was missed');
        [connected, isGone] = [true, false];
        const messages = parser.push(text);
        if (messages.some(({ event }) => event !== 'ready' && event !== 'resume')) failures = 0;
        last = parser.lastEventId || last;
        for (const { data } of messages.filter(({ event }) => event === 'resume')) note(reasonIn(data));
        yield* messages;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!mayPass(error) || (!connected && error instanceof Unanswered && error.refused)) throw error;
      if (!isGone) note(`${error.message}; this goes on when it is there`);
      isGone = true;
    }
    await pause(backOff(failures, waits), signal);
  }
}

const reasonIn = (data: string): string => (JSON.parse(data) as { reason: string }).reason;
