import { catalogue } from '../../commands/catalogue.js';
import { nameUuid, type Actor, type Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import { positionInWords } from '../../events/positions.js';
import { story } from '../story.js';

/** What led to an event. Its ids are in the event's metadata. */
export interface Cause {
  /** `command`: it is what somebody asked for; `append`: it was decided along with that; `policy`: it is what another event asked for */
  readonly kind: 'command' | 'append' | 'policy';
  readonly sentence: string;
  /** what the policy has sent */
  readonly command?: string;
  /** the event that it follows from, where that is known */
  readonly event?: Pick<Recorded, 'type' | 'stream' | 'revision' | 'position'>;
}

type Known = Recorded<LedgerEvent>;

/** `first` is what the same command wrote first, if that is not the event itself; `before` is the event that is named as its cause. */
export function causeOf({ metadata, stream }: Known, first: Known | undefined, before: Known | undefined): Cause {
  if (first) return { kind: 'append', sentence: `decided with ${first.type}`, event: named(first) };
  const { actor, causationId, commandId } = metadata;
  const policy = policyOf(actor);
  if (policy === undefined)
    return { kind: 'command', sentence: `${by(actor)}${commandId === causationId ? '' : ', with others at once'}` };
  const command = commandNames.find((name) => nameUuid(policy, causationId, stream, name) === commandId);
  const because = before
    ? `${before.type} at position ${positionInWords(before.position)}: ${story(before)}`
    : `the event ${causationId}`;
  const sentence = `policy ${policy}${command ? ` sent ${command}` : ''}, because of ${because}`;
  return { kind: 'policy', sentence, ...(command && { command }), ...(before && { event: named(before) }) };
}

/** Whether the event that led to it is on the log under the id that it names. */
export const followsFromEvent = ({ metadata: { actor } }: Recorded): boolean => policyOf(actor) !== undefined;

const named = ({ type, stream, revision, position }: Known): NonNullable<Cause['event']> => ({
  type,
  stream,
  revision,
  position,
});

/** Policies act under their own names, and under commandIds that are made of them. */
const policyOf = ({ type, id }: Actor): string | undefined =>
  type === 'system' && id.startsWith('policy-') ? id.slice('policy-'.length) : undefined;

const by = ({ type, id }: Actor): string => (type === 'system' ? `the ${id} of the ledger` : `a command of ${type}:${id}`);

const commandNames = catalogue.map(({ command }) => command.name);
