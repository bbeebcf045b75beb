import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../events/event.js';
import type { Run } from '../../projections/run-queries.js';
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
  readonly run: Run;
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

/** All that the ledger knows of a claimed run; of what cannot be had within seconds, what the claim said. */
export async function contextOf(client: Client, claimed: RunView, minPosition: string | undefined): Promise<RunContextFile> {
  const run = await orElse(bare(claimed), () => read<Run>(client, ['runs', claimed.id], minPosition));
  const ids = run.wakeups.slice(0, shownWakeups);
  const wakeups = await Promise.all(
    ids.map((id) => orElse<ContextWakeup>({ id }, () => read(client, ['wakeups', id], minPosition))),
  );
  return {
    run,
    wakeups,
    wakeupsLeftOut: run.wakeups.length - ids.length,
    commentIds: wakeups.flatMap(({ commentIds }) => commentIds ?? []),
    payloads: wakeups.flatMap(({ payload }) => (payload ? [payload] : [])),
  };
}

/** What the claim said, and nothing of what it did not say. */
const bare = (claimed: RunView): Run => ({
  ...claimed,
  cause: 'unknown',
  wakeups: [],
  exhausted: false,
  revision: -1,
  context: {},
});

const read = async <T>(client: Client, at: readonly string[], minPosition: string | undefined): Promise<T> =>
  (await client.read<T>(at, {}, { minPosition, timeoutMs: 5_000 })).body;

async function orElse<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    return otherwise;
  }
}
