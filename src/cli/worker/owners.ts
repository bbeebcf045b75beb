import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processOf } from './process-table.js';

interface Owner {
  readonly pid: number;
  readonly start: string;
}

/**
 * Becomes the worker that answers for a run; false when another one lives that does. Owners are numbered and never taken away, so
 * that of two which come after a dead one only one has the next number. Whole at once, because a link is.
 */
export function own(folder: string): boolean {
  const mine = join(folder, `me.${process.pid}`);
  try {
    const { n, owner } = lastOwner(folder);
    if (owner && isAlive(owner)) return false;
    writeFileSync(mine, JSON.stringify(thisProcess()), { mode: 0o600 });
    linkSync(mine, join(folder, `owner.${n + 1}`));
    return true;
  } catch {
    // Another has taken the number, or has come to the end of the run and taken the folder away.
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function lastOwner(folder: string): { n: number; owner?: Owner } {
  const numbers = readdirSync(folder).flatMap((name) => /^owner\.(\d+)$/.exec(name)?.[1] ?? []);
  const n = Math.max(0, ...numbers.map(Number));
  if (n === 0) return { n };
  const text = readFileSync(join(folder, `owner.${n}`), 'utf8');
  // Written by `own`, and empty only after a loss of power, which no owner has survived.
  return { n, owner: text === '' ? undefined : (JSON.parse(text) as Owner) };
}

const isAlive = ({ pid, start }: Owner): boolean => processOf(pid)?.start === start;

function thisProcess(): Owner {
  const { pid } = process;
  return { pid, start: processOf(pid)?.start ?? '' };
}
