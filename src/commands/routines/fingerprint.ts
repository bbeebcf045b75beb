import { createHash } from 'node:crypto';
import { canonicalJson } from '../../events/canonical-json.js';
import type { AgentId, Json } from '../../events/event.js';
import { Rejected } from '../decider.js';
import { shown } from '../fields.js';

/** What makes two fires of a routine the same work. */
export interface Fingerprinted {
  /** the sender's, with `variables` inside; before anything of it is redacted or cut */
  readonly payload: Json;
  readonly agent: AgentId;
  readonly title: string;
  readonly description: string | null;
}

/**
 * SHA-256 in hex of the one canonical text of it all, without what lies at the paths to ignore. The order of keys does not
 * count, that of items does; 1.0 is 1, and -0 is 0; text is compared by its code units, so that an é of one character is not
 * the é of two.
 */
export function fingerprintOf({ payload, agent, title, description }: Fingerprinted, ignore: readonly string[]): string {
  const counts = { agent, description, payload: without(payload, ignore.map(stepsOf)), title };
  return createHash('sha256').update(canonicalJson(counts)).digest('hex');
}

/**
 * Paths into the payload are keys with dots between them: `delivery.id`. `*` is every key, or every item of a list; a number is
 * an item's place: `items.*.seen`, `items.0`. A key's own dot, asterisk or backslash has a backslash before it: `a\.b`.
 */
export function refuseUnfitPaths(ignore: readonly string[]): void {
  const unfit = ignore.filter((path) => path.length > longestPath || !wellFormed.test(path));
  if (unfit.length === 0) return;
  throw new Rejected(
    'fingerprint_path_invalid',
    `fingerprintIgnore has ${unfit.map(shown).join(', ')} in it: give keys with dots between them, of at most ${longestPath} ` +
      String.raw`characters, such as delivery.id or items.*.seen; a dot, * or \ of a key itself is written \., \* or \\`,
  );
}

const longestPath = 256;
const step = String.raw`(?:(?:[^.*\\]|\\[.*\\])+|\*)`;
const wellFormed = new RegExp(String.raw`^${step}(?:\.${step})*$`);
const steps = new RegExp(step, 'g');

/** A key, or null for every one. */
type Step = string | null;

const stepsOf = (path: string): Step[] =>
  (path.match(steps) ?? []).map((one) => (one === '*' ? null : one.replace(/\\(.)/g, '$1')));

/** A path that leads nowhere takes nothing away. */
function without(value: Json, paths: readonly (readonly Step[])[]): Json {
  if (paths.length === 0 || typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([key, child]): [string, Json][] => {
    const beneath = paths.filter(([first]) => first === null || first === key).map((path) => path.slice(1));
    return beneath.some((path) => path.length === 0) ? [] : [[key, without(child, beneath)]];
  });
  return Array.isArray(value) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
}
