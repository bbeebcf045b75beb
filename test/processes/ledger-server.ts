import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { compiledLedger } from './compiled.js';
import { until } from './until.js';

/** `ledger serve` in a process of its own. */
export interface LedgerServer {
  /** empty without the role api */
  readonly url: string;
  readonly pid: number;
  /** what it has logged so far */
  readonly log: readonly string[];
  /** Sends a signal; resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  signal(signal: NodeJS.Signals): void;
  readonly isRunning: boolean;
}

type Environment = Readonly<Record<string, string>>;

const started = new Set<ChildProcess>();

/** On a free port of 127.0.0.1; resolves when it is ready, and fails with what it said when it does not become so. */
export async function serveLedger(env: Environment): Promise<LedgerServer> {
  const { child, log } = await spawnLedger(['serve'], { PORT: '0', ...env });
  const ended = exitOf(child);
  const { address: url } = await until(
    'a ready server',
    () => {
      const [ready, address = ''] = /ready(?: at (\S+)|, without its API,) after/.exec(log.join('\n')) ?? [];
      if (ready === undefined && child.exitCode !== null)
        throw new Error(`the server ended with ${child.exitCode}:\n${log.join('\n')}`);
      return ready !== undefined && { address };
    },
    60_000,
  );
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    url,
    pid: child.pid!,
    log,
    end,
    signal: (signal) => void child.kill(signal),
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
  };
}

/** Any verb of the command line. `log` grows by the lines of both of its outputs. */
export async function spawnLedger(args: readonly string[], env: Environment): Promise<{ child: ChildProcess; log: string[] }> {
  const child = spawn(process.execPath, [await compiledLedger(), ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  const log: string[] = [];
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', (line) => log.push(line));
  return { child, log };
}

export async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}

/** Whatever the tests of this file have left running. */
export async function endAll(): Promise<void> {
  for (const child of started) child.kill('SIGKILL');
  await Promise.all([...started].map(exitOf));
  started.clear();
}
