import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AdoptedRun } from './adopted-run.js';
import type { Surroundings } from './leased-run.js';
import { foldersOf } from './places.js';
import { identify, lives, type ProcessIdentity } from './process-table.js';
import { RunFolder, type RunState } from './run-folder.js';
import type { WorkerSettings } from './settings.js';

/** The runs that a dead worker of this host has left behind; from now on they are this worker's, and nobody else's. */
export function adoptRuns(around: Surroundings): AdoptedRun[] {
  return leftBehind(around.settings).flatMap(({ folder, state }) => {
    if (!takeOver(folder, state)) return [];
    if (!around.reports.keeps(state.run)) return [new AdoptedRun(state, folder, around)];
    folder.remove();
    return [];
  });
}

interface Left {
  readonly folder: RunFolder;
  readonly state: RunState;
}

function leftBehind(settings: WorkerSettings): Left[] {
  return foldersIn(foldersOf(settings)).flatMap((path) => {
    const folder = new RunFolder(path);
    const state = folder.state();
    return state && isOf(state, settings) ? [{ folder, state }] : [];
  });
}

const isOf = (state: RunState, { url, company, agent }: WorkerSettings): boolean =>
  state.host === hostname() && state.url === url && state.company === company && state.agent === agent;

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}

/**
 * Owners follow one another: the worker that started the run, then `owner-1`, `owner-2` … The next number is taken by whoever
 * creates its file, with the content already in it, and only when the last one is dead; no file is ever taken away.
 */
function takeOver({ path }: RunFolder, { worker }: RunState): boolean {
  const number = lastOwner(path);
  if (lives(number === 0 ? worker : readOwner(path, number))) return false;
  const self: ProcessIdentity = identify(process.pid) ?? { pid: process.pid, start: '' };
  const draft = join(path, `owner.${process.pid}`);
  try {
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
    linkSync(draft, join(path, `owner-${number + 1}`));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

const lastOwner = (path: string): number =>
  Math.max(0, ...readdirSync(path).map((name) => Number(/^owner-(\d+)$/.exec(name)?.[1] ?? 0)));

const readOwner = (path: string, number: number): ProcessIdentity =>
  // Written by `takeOver`, whole or not at all.
  JSON.parse(readFileSync(join(path, `owner-${number}`), 'utf8')) as ProcessIdentity;
