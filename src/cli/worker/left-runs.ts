import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { own } from './owners.js';
import { environmentOf, membersOf, processOf, type Entry } from './process-table.js';
import { RunFolder, type RunRecord } from './run-folder.js';
import type { WorkerSettings } from './settings.js';

/** A run that another worker of this folder began, and died over. */
export interface LeftRun {
  readonly folder: RunFolder;
  readonly record: RunRecord;
  /** what leads its group, if it lives */
  readonly leader: Entry | undefined;
}

/** Those of this host and agent whose worker is dead; from now on they are this worker's, and no other's that starts with it. */
export function takeLeftRuns({ home, url, company, agent }: WorkerSettings): LeftRun[] {
  return foldersIn(join(home, 'runs')).flatMap((path) => {
    const folder = new RunFolder(path);
    const record = folder.record();
    const isOurs = record?.host === hostname() && record.url === url && record.company === company && record.agent === agent;
    return record && isOurs && own(path) ? [{ folder, record, leader: leaderOf(folder, record) }] : [];
  });
}

/** Ends what lives on in a group whose leader is gone; the parts of the guard are not counted. */
export async function endDescendants({ folder, record }: LeftRun): Promise<number> {
  const group = record.process?.pid ?? folder.guardPids().leader;
  if (group === undefined || !membersOf(group).some((member) => belongsTo(member, record))) return 0;
  const { parts } = folder.guardPids();
  const descendants = membersOf(group).filter(({ pid, parent }) => !parts.includes(pid) && !parts.includes(parent));
  signal(group, 'SIGTERM');
  for (let waited = 0; waited < 1_000 && membersOf(group).length > 0; waited += 50) await pause(50);
  signal(group, 'SIGKILL');
  return descendants.length;
}

function foldersIn(runs: string): string[] {
  try {
    return readdirSync(runs).map((name) => join(runs, name));
  } catch {
    return [];
  }
}

/** A pid alone names no process: it may have been given to another since. */
function leaderOf(folder: RunFolder, record: RunRecord): Entry | undefined {
  const pid = record.process?.pid ?? folder.guardPids().leader;
  const found = pid === undefined ? undefined : processOf(pid);
  if (!found) return undefined;
  return (record.process ? found.start === record.process.start : belongsTo(found, record)) ? found : undefined;
}

/** Began after the run did, and with its lease in the environment where that can be read. */
function belongsTo({ pid, startedAt }: Entry, { process, clock, lease }: RunRecord): boolean {
  const roundedBy = 100;
  if (startedAt < (process?.startedAt ?? clock) - roundedBy) return false;
  return environmentOf(pid)?.includes(`LEDGER_LEASE=${lease.token}`) ?? true;
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // It ended by itself meanwhile.
  }
}
