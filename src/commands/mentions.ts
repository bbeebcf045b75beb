import type { AgentId } from '../events/event.js';

/** In one comment, named by its sender and found in its body together. */
export const mostMentions = 50;

const mention = /(?<![\w@.-])@([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?![A-Za-z0-9_-])/g;

/** Names after an @ that may be agents, each once; the local part of an address names none. */
export const mentionedIn = (body = ''): AgentId[] =>
  [...new Set([...body.matchAll(mention)].flatMap(([, name]) => name ?? []))].slice(0, mostMentions);
