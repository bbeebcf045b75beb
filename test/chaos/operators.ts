import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Draw } from '../projections/history.js';
import { ask, type Answer, type Ask } from '../processes/ask.js';
import type { Acknowledged } from '../processes/load.js';

export const agents = ['coder', 'tester', 'writer'] as const;

/** Retries come soon, so that all of a run's life happens while it goes on. */
const policy = { retry: { delaysMs: [1_000, 1_000], jitterRatio: 0.25 }, maxConcurrentRuns: 3 };

/** Statuses that a refusal may have; everything else that is no success is a fault. */
const refusals = [403, 404, 409, 412, 422];

/**
 * People who open tasks, block them, talk on them, hold and pause, cancel and reassign: whatever comes to their minds. What was not
 * answered, or answered 503, they send again with the same key until it is.
 */
export class Operators {
  readonly acknowledged: Acknowledged[] = [];
  /** what nobody may be answered, whatever happens to the server */
  readonly unexpected: string[] = [];
  repeats = 0;
  private stopping = new AbortController();
  private running: Promise<void>[] = [];
  private tasks = 0;

  /** `url`: of the server that is to be asked now */
  constructor(
    private readonly url: () => string,
    private readonly draw: Draw,
  ) {}

  async register(): Promise<void> {
    for (const agent of agents) await this.command('PUT', `agents/${agent}`, { policy });
  }

  start(people: number): void {
    this.stopping = new AbortController();
    this.running = Array.from({ length: people }, () => this.person());
  }

  /** What has been begun is brought to its end, and nothing stays held or paused. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
    for (const agent of agents) await this.command('POST', `agents/${agent}/resume`, {});
    await this.command('POST', 'release', {});
    for (let n = 1; n <= this.tasks; n += 1) await this.command('POST', `tasks/CHAOS-${n}/release`, {});
  }

  private async person(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.act();
      await pause(this.draw(60));
    }
  }

  private act(): Promise<Answer> {
    const task = `CHAOS-${1 + this.draw(Math.max(this.tasks, 1))}`;
    const agent = this.agent();
    const draw = this.draw(100);
    if (this.tasks < 5 || draw < 18) return this.open();
    if (draw < 34) return this.command('POST', 'wakeups', { agent, task });
    if (draw < 52) return this.command('POST', `tasks/${task}/comments`, this.remark(agent));
    if (draw < 62) return this.command('POST', `tasks/${task}/blockers`, { blockedBy: this.blockers() });
    if (draw < 72)
      return this.command('POST', `tasks/${task}/status`, { status: this.one('todo', 'in_progress', 'done', 'cancelled') });
    if (draw < 78) return this.command('POST', `tasks/${task}/assign`, { agent });
    if (draw < 82)
      return this.command('POST', `runs/${task}.${1 + this.draw(3)}/cancel`, {
        reason: 'enough',
        intent: this.one('stop', 'requeue'),
      });
    if (draw < 86) return this.forAMoment(`tasks/${task}/hold`, `tasks/${task}/release`, { subtree: this.draw(2) === 0 });
    if (draw < 90) return this.forAMoment(`agents/${agent}/pause`, `agents/${agent}/resume`, { interrupt: this.draw(2) === 0 });
    if (draw < 91) return this.forAMoment('hold', 'release', {});
    return this.command('POST', 'wakeups', { agent, reason: 'again' });
  }

  private open(): Promise<Answer> {
    this.tasks += 1;
    const parent = this.tasks > 5 && this.draw(3) === 0 ? `CHAOS-${1 + this.draw(this.tasks - 1)}` : null;
    return this.command('PUT', `tasks/CHAOS-${this.tasks}`, { title: `The work ${this.tasks}`, assignee: this.agent(), parent });
  }

  private remark(mentioned: string): object {
    const options = [{}, {}, { interrupt: true }, { reopen: true }, { mentions: [mentioned] }];
    return { body: 'have you seen this?', ...options[this.draw(options.length)] };
  }

  private blockers(): string[] {
    return Array.from({ length: this.draw(3) }, () => `CHAOS-${1 + this.draw(this.tasks)}`);
  }

  private async forAMoment(begin: string, end: string, body: object): Promise<Answer> {
    await this.command('POST', begin, body);
    await pause(this.draw(1_500));
    return this.command('POST', end, {});
  }

  private agent(): string {
    return this.one(...agents);
  }

  private one<T>(...choices: readonly T[]): T {
    return choices[this.draw(choices.length)]!;
  }

  private async command(method: string, path: string, body: object): Promise<Answer> {
    const key = randomUUID();
    const command: Ask = { method, path, body, headers: { 'idempotency-key': key } };
    const answer = await this.insist(command);
    if (answer.status < 300) this.acknowledged.push({ ...command, key, answer });
    else if (!refusals.includes(answer.status)) this.unexpected.push(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  private async insist(command: Ask): Promise<Answer> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const answer = await ask(this.url(), command).catch(() => undefined);
      if (answer && answer.status !== 503) return answer;
      if (answer && answer.body?.retryable !== true) this.unexpected.push(`503 that is not retryable: ${answer.text}`);
      this.repeats += 1;
      if (performance.now() > deadline) throw new Error(`${command.path}: not answered within 60 s, at last ${answer?.text}`);
      await pause(50);
    }
  }
}

/** Those whose effect is in the log whenever they are acknowledged; another may have found that it is so already. */
export const alwaysWrites = ({ method, path }: Acknowledged): boolean =>
  (method === 'PUT' && path.startsWith('tasks/')) || path.endsWith('/comments');
