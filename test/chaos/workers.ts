import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { compiledLedger } from '../processes/compiled.js';
import { exitOf } from '../processes/ledger-server.js';
import { agents } from './operators.js';

const leaseMs = 5_000;

/** Of each agent a worker in a process of its own, that can be killed and started anew in the same home. */
export class Workers {
  readonly said: string[] = [];
  private readonly running = new Map<string, ChildProcess>();

  constructor(
    private readonly url: string,
    private readonly home: string,
  ) {}

  async start(agent: string): Promise<void> {
    const settings = {
      url: this.url,
      company: 'acme',
      agent,
      workerId: `worker-${agent}`,
      command: [process.execPath, resolve('test/chaos/agent.cjs')],
      max: 2,
      timeoutMs: 2_000,
      graceMs: 0,
      leaseMs,
      home: join(this.home, agent),
    };
    const compiled = dirname(dirname(await compiledLedger()));
    const child = spawn(process.execPath, [resolve('test/chaos/worker.mjs'), compiled, JSON.stringify(settings)], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, CHAOS_JOURNAL: join(this.home, 'journal') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => this.said.push(String(chunk)));
    this.running.set(agent, child);
  }

  async startAll(): Promise<void> {
    for (const agent of agents) await this.start(agent);
  }

  /** Its commands live on. */
  async kill(agent: string): Promise<void> {
    const child = this.running.get(agent);
    child?.kill('SIGKILL');
    if (child) await exitOf(child);
  }

  async stopAll(signal: NodeJS.Signals): Promise<void> {
    for (const child of this.running.values()) child.kill(signal);
    await Promise.all([...this.running.values()].map(exitOf));
  }
}

/** A line of the journal that the commands keep. */
interface Noted {
  readonly what: 'start' | 'end' | 'overlap';
  readonly run: string;
  readonly task: string;
  readonly with?: string;
}

/** How often commands ran, and what none of them may have done. */
export function journalOf(home: string): { executions: number; faults: string[] } {
  const lines = readFileSync(join(home, 'journal'), 'utf8').trimEnd().split('\n').filter(Boolean);
  const noted = lines.map((line) => JSON.parse(line) as Noted);
  const started = noted.filter(({ what }) => what === 'start').map(({ run }) => run);
  const twice = started.filter((run, i) => started.indexOf(run) !== i);
  const overlaps = noted.filter(({ what }) => what === 'overlap');
  return {
    executions: started.length,
    faults: [
      ...twice.map((run) => `${run} was started twice`),
      ...overlaps.map((line) => `${line.run} was started while ${line.with ?? 'another run'} still worked on ${line.task}`),
    ],
  };
}
