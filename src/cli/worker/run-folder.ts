import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../events/event.js';
import type { Wakeup } from '../../projections/wakeup-queries.js';
import type { RunView } from '../../commands/run-view.js';
import type { Client } from '../client.js';

/** What a command is told of its run, and where it may leave word. Gone when the run's end is on its way. */
export class RunFolder {
  readonly contextFile: string;
  readonly resultFile: string;

  constructor(
    private readonly folder: string,
    context: RunContextFile,
  ) {
    this.contextFile = join(folder, 'context.json');
    this.resultFile = join(folder, 'result.json');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.contextFile, JSON.stringify(context, null, 2), { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

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
