import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { LaggingCheckpoint } from '../../projections/operations/checkpoint-queries.js';
import type { RebuildView } from '../../projections/operations/rebuild-queries.js';
import type { Answer, Client } from '../client.js';
import { verb, type DoorOptions } from '../door.js';
import { insist } from '../insist.js';
import { Problem, Unanswered } from '../problem.js';

export interface ReasonOptions extends DoorOptions {
  readonly reason?: string;
}

export const reasoned = (parent: Command, usage: string, description: string): Command =>
  verb(parent, usage, description).option('--reason <reason>', 'kept with the change');

export interface ProjectionView {
  readonly name: string;
  readonly versions: readonly number[];
  readonly readModels: readonly LaggingCheckpoint[];
  readonly rebuild?: RebuildView;
}

/**
 * Sent again while its outcome is unknown, for up to ten seconds; the one key makes that harmless. Resolves when the list of rebuilds shows
 * what it did, so that the next line of a script sees it.
 */
export async function sent<T>(client: Client, at: `/${string}`, body: object): Promise<Answer<T>> {
  const key = randomUUID();
  const isHopeless = (error: Error) => error instanceof Unanswered && error.refused;
  const answer = await insist(() => client.post<T>(at, body, { key }), { forMs: 10_000, isHopeless });
  // The command is done; a list that is far behind is no reason to say otherwise.
  await client.get('/v1/rebuilds', {}, { minPosition: answer.position }).catch(() => {});
  return answer;
}

export const ofProjection = (projection: string, ...rest: readonly string[]): `/${string}` =>
  `/v1/projections/${[projection, ...rest].map(encodeURIComponent).join('/')}`;
export const ofRebuild = (rebuild: string, ...rest: readonly string[]): `/${string}` =>
  `/v1/rebuilds/${[rebuild, ...rest].map(encodeURIComponent).join('/')}`;

/** A rebuild by its own name or, by that of its projection, the one under way; without one, the last that `fits`. */
export async function rebuildNamed(client: Client, name: string, fits: (rebuild: RebuildView) => boolean): Promise<RebuildView> {
  if (/_v\d+(_g\d+)?$/.test(name)) return client.get<RebuildView>(ofRebuild(name));
  const { rebuild } = await client.get<ProjectionView>(ofProjection(name));
  if (rebuild) return rebuild;
  const { items } = await client.get<{ items: RebuildView[] }>('/v1/rebuilds', { projection: name });
  const found = items.find(fits);
  if (found) return found;
  throw new Problem(404, {
    detail: `no rebuild of ${name} is under way: start one with ledger projections rebuild ${name}`,
  });
}

export function phaseInWords({ phase, paused, progress }: RebuildView): string {
  const words = paused ? 'paused' : phase.replaceAll('_', ' ');
  return progress ? `${words}, ${Math.floor((100 * progress.done) / Math.max(1, progress.total))} %` : words;
}
