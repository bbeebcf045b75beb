import type { JsonObject } from '../../events/event.js';
import type { Wakeup } from '../../projections/wakeup-queries.js';
import type { RunView } from '../../commands/run-view.js';
import type { Client } from '../client.js';

/** LEDGER_CONTEXT_FILE */
export interface RunContextFile {
  readonly run: RunView;
  /** the first fifty; `run.wakeups` has the ids of all */
  readonly wakeups: readonly ContextWakeup[];
  /** how many there are besides, with comments and payloads that are not told of here */
  readonly wakeupsLeftOut: number;
  readonly commentIds: readonly string[];
  readonly payloads: readonly JsonObject[];
}

/** Of one that could not be read, its id alone. */
type ContextWakeup = Pick<Wakeup, 'id'> & Partial<Wakeup>;

const shownWakeups = 50;

/** What the claim said of the run, and its wakeups; of those that cannot be had within seconds, the ids. */
export async function contextOf(client: Client, run: RunView, minPosition: string | undefined): Promise<RunContextFile> {
  const ids = run.wakeups.slice(0, shownWakeups);
  const wakeups = await Promise.all(ids.map((id) => wakeupOf(client, id, minPosition).catch((): ContextWakeup => ({ id }))));
  return {
    run,
    wakeups,
    wakeupsLeftOut: run.wakeups.length - ids.length,
    commentIds: wakeups.flatMap(({ commentIds }) => commentIds ?? []),
    payloads: wakeups.flatMap(({ payload }) => (payload ? [payload] : [])),
  };
}

const wakeupOf = async (client: Client, id: string, minPosition: string | undefined): Promise<ContextWakeup> =>
  (await client.read<Wakeup>(['wakeups', id], {}, { minPosition, timeoutMs: 5_000 })).body;
