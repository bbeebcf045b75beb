import type { CommandContext } from '../commands/decider.js';
import type { Actor, Position } from '../events/event.js';
import { isPosition, typedPosition } from '../events/positions.js';
import type { Exchange } from './call.js';
import { malformed } from './problem.js';

/** Everything that comes with a command besides its fields. `actor`: instead of who the header names. */
export function contextOf(call: Exchange, commandId: string, actor?: Actor): CommandContext {
  const ifRevision = revisionOf(call.header('if-match'));
  const traceparent = traceOf(call.header('traceparent'));
  return {
    commandId,
    actor: actor ?? actorOf(call.header('x-actor')),
    ...(traceparent && { traceparent }),
    ...(ifRevision !== undefined && { ifRevision }),
  };
}

/** Of what changes any number of streams, there is no revision to compare with. */
export function refuseIfMatch(call: Exchange): void {
  if (call.header('if-match') !== undefined)
    throw malformed('If-Match', 'If-Match: this request concerns more than one thing, which has no ETag; leave the header out');
}

/** 1 to 255 printable characters. */
export function idempotencyKeyOf(call: Exchange): string | undefined {
  const key = call.header('idempotency-key');
  if (key !== undefined && !isIdempotencyKey(key))
    throw malformed(
      'Idempotency-Key',
      `Idempotency-Key is ${quoted(key)}: give 1 to 255 printable ASCII characters, such as a UUID`,
    );
  return key;
}

export const isIdempotencyKey = (key: string): boolean => /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key);

/** A read shows everything up to this position. */
export function minPositionOf(call: Exchange): Position | undefined {
  const position = call.header('ledger-min-position');
  return position === undefined || position === '' ? undefined : positionNamed('Ledger-Min-Position', position);
}

function positionNamed(field: string, position: string): Position {
  if (isPosition(position)) return position;
  throw noPosition(field, position);
}

/** One that a person may have typed: `positionFrom` completes it. */
export function typedPositionNamed(field: string, text: string): string {
  if (typedPosition.test(text)) return text;
  throw noPosition(field, text);
}

const noPosition = (field: string, text: string) =>
  malformed(field, `${field} is ${quoted(text)}: give a position that a Ledger-Position header or an event had`);

const user: Actor = { type: 'user', id: 'local' };

function actorOf(header: string | undefined): Actor {
  if (header === undefined) return user;
  const [, type, id] = /^(user|agent|system):([A-Za-z0-9][A-Za-z0-9_-]{0,63})$/.exec(header) ?? [];
  if (!type || !id) throw malformed('X-Actor', `X-Actor is ${quoted(header)}: give user:<name>, agent:<agent> or system:<name>`);
  return { type: type as Actor['type'], id };
}

function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, revision] = /^"(\d{1,10})"$/.exec(header) ?? [];
  if (revision === undefined)
    throw malformed('If-Match', `If-Match is ${quoted(header)}: give the ETag of an answer, such as "3" with its quotes`);
  return Number(revision);
}

/** W3C Trace Context; what is not of its form is left out, as it asks. */
const traceOf = (header: string | undefined): string | undefined =>
  header && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;

const quoted = (value: string): string => JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
