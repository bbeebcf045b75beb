import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants as files, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandShell } from './command-shell.js';
import type { Exit } from './process-group.js';
import { lives, membersOf, type ProcessIdentity } from './process-table.js';
import type { RunFolder } from './run-folder.js';

/** The process at the head of a command's group. */
export interface Leader {
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  /** False when nobody is left in the group. */
  signalGroup(signal: NodeJS.Signals | 0): boolean;
}

/** Starts a command; what it says goes to the files of the run's folder, which no worker's death takes from it. */
export function startLeader([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv, folder: RunFolder): Leader {
  const missing = whyNotStarted(file, env);
  if (missing !== undefined) return neverStarted(`${file}: ${missing}`);
  const outputs = [openSync(folder.outputs.stdout, 'a', 0o600), openSync(folder.outputs.stderr, 'a', 0o600)];
  try {
    const shell = ['-c', commandShell, 'ledger-run', folder.path, file, ...args];
    const child = spawn('/bin/sh', shell, { env, detached: true, stdio: ['ignore', ...outputs] });
    return { pid: child.pid, exited: untilExit(child, folder), signalGroup: (signal) => signalGroup(child.pid, signal) };
  } finally {
    outputs.forEach(closeSync);
  }
}

/** One that another worker started. Its number may be a stranger's by now: it is signalled only as the one that it was. */
export function adoptLeader(leader: ProcessIdentity, run: string, folder: RunFolder): Leader {
  return {
    pid: leader.pid,
    exited: untilGone(leader, run, folder),
    signalGroup: (signal) =>
      lives(leader) ? signalGroup(leader.pid, signal) : membersOf(leader, run).filter((pid) => send(pid, signal)).length > 0,
  };
}

const neverStarted = (why: string): Leader => ({
  pid: undefined,
  exited: Promise.resolve({ code: null, signal: null, notStarted: why }),
  signalGroup: () => false,
});

const untilExit = (child: ChildProcess, folder: RunFolder): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(exitOf(folder.exitCode() ?? code, signal)));
    child.once('error', ({ message }) => resolve({ code: null, signal: null, notStarted: message }));
  });

async function untilGone(leader: ProcessIdentity, run: string, folder: RunFolder): Promise<Exit> {
  while (lives(leader)) await pause(100);
  const code = folder.exitCode();
  if (code !== undefined) return exitOf(code, null);
  const left = membersOf(leader, run).length;
  const remains =
    left === 0 ? '' : `; ${left === 1 ? '1 process' : `${left} processes`} that it had started were still there, and are ended`;
  return {
    code: null,
    signal: null,
    lost: `its process (${leader.pid}) was gone when a worker came back to it, and nobody knows how it ended${remains}`,
  };
}

/** A code that may stand for a signal is told with it: a shell says both in the same way. */
function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (code === null) return { code, signal };
  const [name] = Object.entries(constants.signals).find(([, number]) => number === code - 128) ?? [];
  // The names of `constants.signals` are those of NodeJS.Signals.
  return { code, signal: (name as NodeJS.Signals | undefined) ?? null };
}

/** What a shell would only tell by a code that a command may have as well. */
function whyNotStarted(file: string, { PATH = '/usr/bin:/bin' }: NodeJS.ProcessEnv): string | undefined {
  const places = file.includes('/') ? [file] : PATH.split(delimiter).map((folder) => join(folder, file));
  const failures = places.map(whyNotExecutable);
  if (failures.includes(undefined)) return undefined;
  return failures.find((why) => why !== noSuchCommand) ?? noSuchCommand;
}

const noSuchCommand = 'there is no such command on this machine';

function whyNotExecutable(path: string): string | undefined {
  try {
    accessSync(path, files.X_OK);
    return undefined;
  } catch {
    return existsSync(path) ? `${path} may not be executed` : noSuchCommand;
  }
}

const signalGroup = (pid: number | undefined, signal: NodeJS.Signals | 0): boolean => pid !== undefined && send(-pid, signal);

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
