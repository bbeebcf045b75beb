import { Matches } from 'class-validator';
import type { Position, StreamId } from '../../events/event.js';
import type { Operations, OperationsEvent, ReadModelName } from '../../events/operations.js';
import { decision, Rejected, type CommandContext, type Decision, type Outcome, type World } from '../decider.js';
import { Exact, Optional, Slug, Text } from '../fields.js';
import type { Ledger } from '../ledger.js';
import { ofOperations } from './rebuild.js';

/** A stream that a read model could not fold: from this event on, nothing of it is in its rows. */
export interface ParkedStream {
  readonly readModel: ReadModelName;
  readonly stream: StreamId;
  readonly position: Position;
  readonly revision: number;
  readonly eventId: string;
  readonly error: string;
}

export interface Refolding {
  /** why the event that it is parked at is left out from now on; without a word, it is folded like the others */
  readonly skip?: string;
  /** is told how many events were folded; what was done counts when it has resolved, and not at all when it is rejected */
  readonly record: (events: number) => Promise<void>;
}

/** What read models could not fold. */
export abstract class Parking {
  abstract find(readModel: ReadModelName, stream: StreamId): Promise<ParkedStream | undefined>;
  /**
   * Folds the stream on from where it is parked, as far as it can be folded; from there on it is parked anew. Nothing is done when the
   * event that it is parked at cannot be folded still, which is answered with the error.
   */
  abstract refold(parked: ParkedStream, refolding: Refolding): Promise<{ readonly error?: string }>;
}

export interface ParkingPorts {
  readonly ledger: Ledger;
  readonly parking: Parking;
}

export interface RefoldedStream {
  readonly readModel: ReadModelName;
  readonly stream: StreamId;
  /** that were folded by a retry */
  readonly events?: number;
  /** of the event that was left out */
  readonly skipped?: Position;
  /** where it is parked, if it still is */
  readonly parked?: ParkedStream;
}

export const StreamName = (): PropertyDecorator =>
  Matches(/^(operations|(company|agent|task|routine|service)-[A-Za-z0-9~_.-]{1,160})$/, {
    message: ({ value }) => `stream is ${JSON.stringify(value)}: give a stream such as task-acme.ACME-12`,
  });

class OfParkedStream {
  @Slug() readModel!: ReadModelName;
  @StreamName() stream!: StreamId;
  /** where it is parked, and what came of it; never from outside */
  declare found?: ParkedStream;
  declare events?: number;
}

/** After a fold was mended: the stream is folded again, from the event on that it was parked at. */
export class RetryParkedStream extends OfParkedStream {
  @Optional() @Text(4_000) reason?: string;
}

/** The event that the stream is parked at is left out by this version of the projection, for good; the stream goes on behind it. */
export class SkipParkedEvent extends OfParkedStream {
  @Text(4_000) reason!: string;
  /** the event that is meant, where another one may have taken its place */
  @Optional() @Exact(100) eventId?: string;
}

export const retryParkedStream = decision({
  command: RetryParkedStream,
  ...ofOperations,
  decide: (command: RetryParkedStream, _: unknown, { now }: World): OperationsEvent[] => {
    const { readModel, stream, reason = 'retried', events = 0 } = parkedIn(command);
    return [{ type: 'ParkedStreamRetried', data: { readModel, stream, events, reason, retriedAt: now.toISOString() } }];
  },
  answer: answered,
});

export const skipParkedEvent = decision({
  command: SkipParkedEvent,
  ...ofOperations,
  decide: (command: SkipParkedEvent, _: unknown, { now }: World): OperationsEvent[] => {
    const { readModel, stream, reason, found } = parkedIn(command);
    if (command.eventId !== undefined && command.eventId !== found.eventId) throw elsewhere(found);
    const { position, eventId, error } = found;
    const skippedAt = now.toISOString();
    return [{ type: 'ParkedEventSkipped', data: { readModel, stream, position, eventId, error, reason, skippedAt } }];
  },
  answer: answered,
});

export const retryParked = (command: RetryParkedStream, context: CommandContext, ports: ParkingPorts) =>
  refold(retryParkedStream, command, context, ports);

export const skipParked = (command: SkipParkedEvent, context: CommandContext, ports: ParkingPorts) =>
  refold(skipParkedEvent, command, context, ports, command.reason);

/**
 * The fact is appended while the rows are written and not yet committed. What is cut off before the commit has changed no row, and the
 * command, sent again, finds the stream parked as it was and its fact written. So nothing is done that is not recorded.
 */
async function refold<C extends OfParkedStream>(
  kind: Decision<C, Operations, OperationsEvent, RefoldedStream>,
  command: C,
  context: CommandContext,
  { ledger, parking }: ParkingPorts,
  skip?: string,
) {
  const { readModel, stream } = command;
  const write = (parked?: ParkedStream, events?: number) =>
    ledger.handle(kind, Object.assign(command, { found: parked, events }), context);
  let written: Awaited<ReturnType<typeof write>> | undefined;
  const found = await parking.find(readModel, stream);
  if (found && isMeant(command, found)) {
    const record = async (events: number) => {
      written = await write(found, events);
      // The same command, which had left out the event that it was parked at then.
      if (skip !== undefined && written.answer.skipped !== found.position) throw elsewhere(found);
    };
    const { error } = await parking.refold(found, { skip, record });
    if (error !== undefined) throw unfoldable(found, error);
  }
  const { answer, outcome } = written ?? (await write(found));
  const { position, revision, replayed } = outcome;
  return { answer: { ...answer, parked: await parking.find(readModel, stream) }, position, revision, replayed };
}

const isMeant = (command: OfParkedStream & { eventId?: string }, { eventId }: ParkedStream): boolean =>
  command.eventId === undefined || command.eventId === eventId;

function parkedIn<C extends OfParkedStream>(command: C): C & { found: ParkedStream } {
  const { readModel, stream, found } = command;
  if (found) return { ...command, found };
  throw new Rejected('parked_stream_not_found', `${readModel} has no parked stream ${stream}: it is folded, or was never there`);
}

const elsewhere = ({ readModel, stream, eventId, position, error }: ParkedStream): Rejected =>
  new Rejected(
    'parked_elsewhere',
    `${readModel} has parked ${stream} at another event: ${eventId} at position ${position} (${error}); look at that one first`,
  );

const unfoldable = ({ readModel, stream, position }: ParkedStream, error: string): Rejected =>
  new Rejected(
    'stream_unfoldable',
    `${readModel} still cannot fold ${stream} at position ${position} (${error}): mend the fold, or skip the event`,
  );

function answered(
  { readModel, stream }: OfParkedStream,
  { events: [event] }: Outcome<Operations, OperationsEvent>,
): RefoldedStream {
  switch (event?.type) {
    case 'ParkedStreamRetried':
      return { readModel, stream, events: event.data.events };
    case 'ParkedEventSkipped':
      return { readModel, stream, skipped: event.data.position };
    default:
      return { readModel, stream };
  }
}
