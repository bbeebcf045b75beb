import type { AgentId } from '../events/event.js';
import { Rejected, type World } from './decider.js';

interface Words {
  /** as the sender names them */
  readonly mentions?: readonly AgentId[];
  readonly body?: string;
}

/** Every name in a comment that may be an agent's: World has to know those that are. */
export const namesIn = ({ mentions = [], body }: Words): AgentId[] => [...mentions.slice(0, mostMentions), ...mentionedIn(body)];

/** Whoever is named by the sender has to be there; a word of the body that names nobody is a word. */
export function mentionsOf({ mentions = [], body }: Words, { agent }: World): AgentId[] {
  if (mentions.length > mostMentions)
    throw new Rejected('too_many', `${mentions.length} agents are mentioned: mention at most ${mostMentions} in one comment`);
  const strangers = mentions.filter((name) => !agent(name));
  if (strangers.length > 0)
    throw new Rejected('agent_not_found', `there is no agent ${strangers.join(', ')}; register it first, or do not mention it`);
  const found = mentionedIn(body).filter((name) => agent(name));
  return [...new Set([...mentions, ...found])].slice(0, mostMentions);
}

/** In one comment, named by its sender and found in its body together. */
const mostMentions = 50;

const mention = /(?<![\w@.-])@([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?![A-Za-z0-9_-])/g;

/** Names after an @ that may be agents, each once; the local part of an address names none. */
const mentionedIn = (body = ''): AgentId[] =>
  [...new Set([...body.matchAll(mention)].flatMap(([, name]) => name ?? []))].slice(0, mostMentions);
