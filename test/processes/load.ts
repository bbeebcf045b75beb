import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Draw } from '../projections/history.js';
import { ask, type Answer, type Ask } from './ask.js';

/** A command with a key, and what was answered at last. */
export interface Acknowledged extends Ask {
  readonly path: string;
  readonly key: string;
  readonly answer: Answer;
}

/** Every agent of the load has short retries, so that all of a run's life happens while it goes on. */
const policy = { retry: { delaysMs: [1_000, 1_000, 2_000], jitterRatio: 0.25 }, maxConcurrentRuns: 5 };

/** Nobody beats, and a server may stand still for half a minute with what it was asked. */
const leaseMs = 300_000;

/**
 * Clients that open tasks, ask for wakeups, claim runs and finish them, well and badly. Each keeps to what a careful client does:
 * what was not answered, or answered 503, it sends again with the same key until it is.
 */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** what nobody may be answered, whatever happens to the server */
  readonly unexpected: string[] = [];
  /** answers that asked for a repeat, by code */
  readonly repeats = new Map<string, number>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>[] = [];

  /** `url`: of the server that is to be asked now */
  constructor(
    private readonly url: () => string,
    private readonly draw: Draw,
    private readonly name = 'load',
  ) {}

  start(clients: number): void {
    for (let i = 0; i < clients; i += 1) this.running.push(this.client(`${this.name}-${i}`));
  }

  /** What has been begun is brought to its end. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  private async client(agent: string): Promise<void> {
    await this.command('PUT', `agents/${agent}`, { policy }, 200);
    for (let n = 1; !this.stopping.signal.aborted; n += 1) {
      const task = `${agent}-${n}`;
      await this.command('PUT', `tasks/${task}`, { title: `The work ${n}` }, 200);
      await this.command('POST', 'wakeups', { agent, task, payload: { n } }, 202);
      if (this.draw(4) === 0) await this.command('POST', 'wakeups', { agent, reason: 'again' }, 202);
      if (this.draw(8) === 0) await this.command('POST', 'retries/promote-due', {}, 200);
      await this.work(agent);
    }
  }

  private async work(agent: string): Promise<void> {
    const request = { workerId: `worker-${agent}`, requestId: randomUUID(), max: 1 + this.draw(3), leaseMs };
    const claimed = await this.insist({ method: 'POST', path: `agents/${agent}/claims`, body: request });
    if (claimed.status !== 200) return void this.unexpected.push(`claim: ${claimed.status} ${claimed.text}`);
    for (const { run, lease } of claimed.body.runs) await this.finish(run.id, lease.token);
  }

  private async finish(run: string, lease: string): Promise<void> {
    const well = { outcome: 'succeeded', exitCode: 0 };
    const badly = { outcome: 'failed', exitCode: 1, error: 'HTTP 429: too many requests' };
    await this.command('POST', `runs/${run}/finish`, { lease, ...(this.draw(3) === 0 ? badly : well) }, 200);
  }

  private async command(method: string, path: string, body: object, status: number): Promise<void> {
    const key = randomUUID();
    const command: Ask = { method, path, body, headers: { 'idempotency-key': key } };
    const answer = await this.insist(command);
    if (answer.status !== status) this.unexpected.push(`${method} ${path}: ${answer.status} ${answer.text}`);
    else this.acknowledged.push({ ...command, key, answer });
  }

  protected async insist(command: Ask): Promise<Answer> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const answer = await ask(this.url(), command).catch(() => undefined);
      if (answer && answer.status !== 503) return answer;
      this.again(answer);
      if (performance.now() > deadline) throw new Error(`${command.path}: not answered within 60 s, at last ${answer?.text}`);
      await pause(50);
    }
  }

  private again(answer: Answer | undefined): void {
    const code: string = answer?.body?.code ?? 'connection lost';
    this.repeats.set(code, (this.repeats.get(code) ?? 0) + 1);
    if (answer && answer.body?.retryable !== true) this.unexpected.push(`503 that is not retryable: ${answer.text}`);
  }
}
