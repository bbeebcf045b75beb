import type { Position, StreamId } from '../../events/event.js';
import type { Operations, OperationsEvent } from '../../events/operations.js';
import { decision, Rejected, type CommandContext, type Outcome, type World } from '../decider.js';
import { Text, Uuid } from '../fields.js';
import type { Ledger } from '../ledger.js';
import { ofOperations } from './rebuild.js';

/** What a policy could not carry out, or waits behind what it could not; it is tried again by itself. */
export interface WaitingReaction {
  readonly policy: string;
  /** names it */
  readonly reaction: string;
  /** that it is to */
  readonly stream: StreamId;
  /** of the event that is reacted to */
  readonly position: Position;
  /** null where the policy itself failed at the event */
  readonly command: string | null;
  readonly error: string;
}

export abstract class WaitingReactions {
  abstract find(reaction: string): Promise<WaitingReaction | undefined>;
  /** It is not tried again. What was done counts when `record` has resolved, and not at all when it is rejected. */
  abstract drop(waiting: WaitingReaction, record: () => Promise<void>): Promise<void>;
}

export interface WaitingReactionPorts {
  readonly ledger: Ledger;
  readonly reactions: WaitingReactions;
}

/** Gives up what a policy could not carry out; what waits behind it is tried next. */
export class DropParkedReaction {
  @Uuid() reaction!: string;
  @Text(4_000) reason!: string;
  /** what waits; never from outside */
  declare found?: WaitingReaction;
}

export const dropParkedReaction = decision({
  command: DropParkedReaction,
  ...ofOperations,
  decide: ({ reaction, reason, found }: DropParkedReaction, _: unknown, { now }: World): OperationsEvent[] => {
    if (!found)
      throw new Rejected('parked_reaction_not_found', `there is no reaction ${reaction} that waits: it is done, or dropped`);
    return [{ type: 'ParkedReactionDropped', data: { ...found, reason, droppedAt: now.toISOString() } }];
  },
  answer: ({ reaction }: DropParkedReaction, _: Outcome<Operations, OperationsEvent>) => ({ reaction, status: 'gone' as const }),
});

/** As with a parked stream, the fact is there before the reaction is gone; what was cut off between them is done when it is sent again. */
export async function dropReaction(command: DropParkedReaction, context: CommandContext, ports: WaitingReactionPorts) {
  const { ledger, reactions } = ports;
  const write = (found?: WaitingReaction) => ledger.handle(dropParkedReaction, { ...command, found }, context);
  const found = await reactions.find(command.reaction);
  let written: Awaited<ReturnType<typeof write>> | undefined;
  if (found) await reactions.drop(found, async () => void (written = await write(found)));
  const { answer, outcome } = written ?? (await write());
  return { answer, position: outcome.position, revision: outcome.revision, replayed: outcome.replayed };
}
