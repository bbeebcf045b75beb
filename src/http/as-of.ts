import { Matches, MATCHES, ValidateBy } from 'class-validator';
import { isoTimePattern, readIsoTime } from '../commands/iso-time.js';
import type { Clock } from '../commands/ledger.js';
import type { EventStore } from '../event-store/event-store.js';
import { beginning, type Position, type TaskId } from '../events/event.js';
import { positionFrom, positionInWords, typedPosition } from '../events/positions.js';
import type { Exchange } from './call.js';
import { minPositionOf } from './headers.js';
import { malformed } from './problem.js';

/** A position of the log, with or without its leading zeros. */
export const LogPosition = (): PropertyDecorator =>
  Matches(typedPosition, {
    message: ({ property, value }) =>
      `${property} is ${JSON.stringify(value)}: give a position that a Ledger-Position header or an event had`,
  });

/** Either of them. */
export const TimeOrPosition = (): PropertyDecorator =>
  ValidateBy(
    {
      name: MATCHES,
      constraints: [new RegExp(`${typedPosition.source}|${isoTimePattern.source}`)],
      validator: {
        validate: (value) => typeof value === 'string' && (typedPosition.test(value) || !Number.isNaN(readIsoTime(value))),
      },
    },
    {
      message: ({ property, value }) =>
        `${property} is ${JSON.stringify(value)}: give a time such as 2026-04-20T12:00:00Z, on a day that exists, ` +
        'or a position that a Ledger-Position header or an event had',
    },
  );

/** What a read that can look back may be given: a time, or a position of the log. */
export interface LooksBack {
  readonly asOf?: string;
  readonly asOfPosition?: string;
}

/** Finds the position that a read of the past is to show, and says it in its answer. */
export class AsOf {
  constructor(
    private readonly store: Pick<EventStore, 'head' | 'positionAt'>,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Undefined where the present is asked for. */
  async of(call: Exchange, { asOf, asOfPosition }: LooksBack): Promise<Position | undefined> {
    if (asOf === undefined && asOfPosition === undefined) return undefined;
    if (asOf !== undefined && asOfPosition !== undefined)
      throw malformed('asOfPosition', 'asOf and asOfPosition are both given: give a time or a position');
    if (minPositionOf(call) !== undefined)
      throw malformed('Ledger-Min-Position', 'Ledger-Min-Position: what is past is waited for by nobody; leave the header out');
    const at = asOf === undefined ? await this.upTo('asOfPosition', asOfPosition!) : await this.until('asOf', asOf);
    return showing(call, at);
  }

  /** A time or a position in one; without it, the head of the log. */
  async at(call: Exchange, at: string | undefined): Promise<Position> {
    if (at === undefined) return showing(call, await this.store.head());
    return showing(call, typedPosition.test(at) ? await this.upTo('at', at) : await this.until('at', at));
  }

  private async upTo(field: string, given: string): Promise<Position> {
    const head = await this.store.head();
    const position = positionFrom(given, head);
    if (position <= head) return position;
    const end = head === beginning ? 'the ledger is empty' : `the head of the ledger is ${positionInWords(head)}`;
    throw malformed(field, `${field} is ${given}: ${end}; give a position up to it, or none for the present`);
  }

  private async until(field: string, time: string): Promise<Position> {
    const now = this.clock.now();
    if (Date.parse(time) <= now.getTime() + skewMs) return this.store.positionAt(time);
    const head = await this.store.head();
    throw malformed(
      field,
      `${field} is ${time}, and it is ${now.toISOString()} now, with ${positionInWords(head)} at the head of the ledger; give a time up to now, or none for the present`,
    );
  }
}

/** The clock of the caller, or that of the store, by which events are recorded, may be ahead of this one by so much. */
const skewMs = 1_000;

/** The one task that a list of the past is of; how a list over more of them is had otherwise is said. */
export function onlyTask(tasks: readonly TaskId[] | undefined, projection: { readonly name: string }): TaskId {
  const [task, ...others] = new Set(tasks);
  if (task !== undefined && others.length === 0) return task;
  throw malformed(
    'task',
    `a list as of the past is of one task: give task=<task>; for a list over more of them, build the read model as it was then, ` +
      `with ledger projections build ${projection.name} --as-of <time> --into <schema>`,
  );
}

function showing({ reply }: Exchange, position: Position): Position {
  if (position !== beginning) void reply.header('ledger-position', position);
  return position;
}
