import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { setBlockers } from '../../src/commands/blockers.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { Rejected, type Sendable } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun, recordProcess } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { nameUuid, numberOfRun, taskOfRun, type Actor, type Recorded } from '../../src/events/event.js';
import { commentIdsIn } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { conservation } from '../../src/projections/conservation/conservation.js';
import { runStatus } from '../../src/projections/run-status.js';
import { tasks as taskRows } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { person } from '../facts.js';
import { Folding } from '../folding.js';
import { VirtualLedger, type Claimed } from '../virtual-ledger.js';
import { pickOf } from './reference.js';
import { agents, parents, policies, tasks, type Step, type Who } from './steps.js';

const actorOf = (who: Who): Actor =>
  who === 'person' ? person : who === 'system' ? { type: 'system', id: 'scheduler' } : { type: 'agent', id: who };

const leaseMs = 30_000;
const nothing = async (): Promise<void> => {};

/** The real thing: commands, policies and read models on a store in memory, asked what the reference is asked. */
export class Rig {
  readonly runs = new Folding(runStatus);
  readonly wakeups = new Folding(wakeupRequests);
  readonly tasks = new Folding(taskRows);
  readonly conserved = new Folding(conservation);
  /** all leases that were ever given */
  readonly claims: Claimed[] = [];
  readonly log: Recorded<LedgerEvent>[] = [];
  /** since the last step */
  appended: readonly Recorded<LedgerEvent>[] = [];
  readonly terminated = new Set<string>();
  /** the first start beside a process that still lived */
  beside: string | undefined;
  /** by lane, until when each lives at the longest: workers end what they may not go on with */
  private readonly processes = new Map<string, { run: string; until: number }>();
  private steps = 0;
  private comments = 0;
  /** of the present step: what it was found to be about */
  private readonly found = new Map<string, unknown>();

  /** `ledger`: another one on the same log takes its place when its process has ended. */
  constructor(public ledger = new VirtualLedger()) {}

  static async open(ledger?: VirtualLedger): Promise<Rig> {
    const rig = new Rig(ledger);
    for (const agent of agents) await rig.ledger.send(putAgent, { agent, policy: policies[agent] });
    for (const [task, assignee] of [
      ['ACME-1', 'fixer'],
      ['ACME-2', 'reviewer'],
      ['ACME-3', 'fixer'],
    ] as const)
      await rig.ledger.send(putTask, { task, title: task, assignee, parent: parents[task] ?? null });
    await rig.ledger.react();
    await rig.follow();
    return rig;
  }

  /** Answers the code of a refusal. */
  async do(step: Step): Promise<string | undefined> {
    this.appended = [];
    this.found.clear();
    this.steps++;
    if (step.do === 'comment') this.comments++;
    return this.again(step);
  }

  /** The same command, under the same commandId, after an answer that never came. */
  async again(step: Step): Promise<string | undefined> {
    try {
      await this.ask(step);
      return undefined;
    } catch (error) {
      if (error instanceof Rejected) return error.code;
      throw error;
    } finally {
      await this.follow();
    }
  }

  async react(): Promise<void> {
    await this.ledger.react();
    await this.follow();
  }

  async follow(): Promise<Recorded<LedgerEvent>[]> {
    const news = await this.ledger.ports.store.readAll<LedgerEvent>({
      after: this.log.at(-1)?.position ?? '0'.repeat(16),
      limit: 10_000,
    });
    for (const followed of [this.runs, this.wakeups, this.tasks, this.conserved]) followed.follow(news);
    this.log.push(...news);
    this.appended = [...this.appended, ...news];
    for (const event of news) if (event.type === 'AgentTerminated') this.terminated.add(event.data.agent);
    return news;
  }

  private async ask(step: Step): Promise<unknown> {
    const { ledger } = this;
    const send = this.send.bind(this);
    switch (step.do) {
      case 'wake': {
        const { agent, task, source, by } = step;
        const where = task.startsWith('heartbeat') ? {} : { task };
        return send(requestWakeup, { agent, ...where, source }, by);
      }
      case 'claim':
        return this.claim(step.agent, step.meanwhile);
      case 'finish': {
        const own = this.claims.filter(({ run }) => taskOfRun(run) === step.task);
        const claim = step.stale ? own.at(-2) : own.at(-1);
        if (this.processes.get(step.task)?.run === claim?.run) this.processes.delete(step.task);
        return claim && send(finishRun, { ...claim, ...step.ending });
      }
      case 'recordProcess': {
        const claim = this.claims.findLast(({ run }) => taskOfRun(run) === step.task);
        const process = { pid: 4_711, host: 'laptop', startedAt: '2026-04-20T12:00:00Z' };
        return claim && send(recordProcess, { ...claim, ...process });
      }
      case 'beat':
        return this.beat(step.task);
      case 'cancelRun': {
        const run = this.pickRun(step);
        return run && send(cancelRun, { run, reason: 'enough', intent: step.intent });
      }
      case 'scheduleRetry': {
        const run = this.pickRun(step);
        return run && send(scheduleRetry, { run });
      }
      case 'retryNow': {
        const run = this.pickRun(step);
        return run && send(retryNow, { run });
      }
      case 'cancelWakeup': {
        const { task } = step;
        const row = this.once('wakeup', () => pickOf(this.wakeupsOf(task), step.pick));
        return row && send(cancelWakeup, { task, wakeup: row.wakeup_id, reason: 'no need' });
      }
      case 'promote':
        return send(promoteDueRetries, { company: undefined });
      case 'advance':
        return ledger.clock.advance(step.ms);
      case 'reap':
        return ledger.reap();
      case 'assign':
        return send(assignTask, { task: step.task, agent: step.agent }, step.by);
      case 'setStatus':
        return send(setTaskStatus, { task: step.task, status: step.status }, step.by);
      case 'setBlockers':
        return send(setBlockers, { task: step.task, blockedBy: step.blockedBy });
      case 'comment': {
        const { task, by, mentions, reopen, resume, interrupt } = step;
        const comment = { task, commentId: `comment-${this.comments}`, body: 'look', mentions, reopen, resume, interrupt };
        return send(addComment, comment, by);
      }
      case 'removeComment': {
        const { task } = step;
        const { comments } = await ledger.lane(task);
        const comment = this.once('comment', () => pickOf(comments, step.pick));
        return comment && send(removeComment, { task, comment: comment.id });
      }
      case 'pause':
        return send(pauseAgent, { agent: step.agent, interrupt: step.interrupt });
      case 'resume':
        return send(resumeAgent, { agent: step.agent });
      case 'terminate':
        return send(terminateAgent, { agent: step.agent });
      case 'holdTask':
        return send(holdTask, { task: step.task, subtree: step.subtree, interrupt: step.interrupt });
      case 'releaseTask':
        return send(releaseTask, { task: step.task });
      case 'holdCompany':
        return send(holdCompany, { interrupt: step.interrupt });
      case 'releaseCompany':
        return send(releaseCompany, {});
      case 'react':
        return undefined;
    }
  }

  private send<C extends object, Answer>(
    kind: Sendable<C, Answer>,
    fields: { [Field in keyof C]?: unknown },
    by: Who = 'person',
  ) {
    return this.ledger.send(kind, fields, { actor: actorOf(by), commandId: nameUuid('step', this.steps) });
  }

  private once<T>(what: string, find: () => T): T {
    if (!this.found.has(what)) this.found.set(what, find());
    // Found by the same function, in the same step.
    return this.found.get(what) as T;
  }

  private async claim(agent: string, meanwhile?: Step): Promise<void> {
    const { ledger, steps } = this;
    const { leases } = ledger;
    leases.afterTake = async () => {
      leases.afterTake = nothing;
      if (meanwhile) await this.do(meanwhile);
    };
    const claimed = await ledger.claim(agent, { requestId: `step-${steps}` });
    leases.afterTake = nothing;
    for (const each of claimed) this.begin(each);
  }

  private begin(claimed: Claimed): void {
    const now = this.ledger.clock.now().getTime();
    const task = taskOfRun(claimed.run);
    const other = this.processes.get(task);
    if (other && other.until >= now) this.beside ??= `${claimed.run} was started beside the process of ${other.run}`;
    this.processes.set(task, { run: claimed.run, until: now + leaseMs });
    this.claims.push(claimed);
  }

  /** A worker whose lease was taken away is told so, and its process lives no longer than it would have. */
  private async beat(task: string): Promise<void> {
    const process = this.processes.get(task);
    if (!process || (await this.ledger.leases.of('acme', task))?.runId !== process.run) return;
    this.ledger.leases.beat('acme', task);
    process.until = this.ledger.clock.now().getTime() + leaseMs;
  }

  private pickRun({ task, pick }: { task: string; pick: number }): string | undefined {
    return this.once('run', () => pickOf(this.runsOf(task), pick)?.run_id);
  }

  runsOf = (task: string) => this.runs.all().filter((row) => row.task === task);
  wakeupsOf = (task: string) => this.wakeups.all().filter((row) => row.task === task);

  /** How everything stands, in words that the reference can say as well. */
  stand(): string[] {
    return tasks.flatMap((task) => {
      const row = this.tasks.rows.get(`acme\n${task}`);
      return [
        `${task} ${row?.status ?? 'todo'}, ${String(row?.assignee ?? (row ? null : 'fixer'))}${row?.held ? ', held' : ''}`,
        ...(row?.blockers ?? []).map((blocker) => `  ${blocker.open ? 'waits' : 'waited'} for ${blocker.task}`),
        ...this.runsOf(task).map((run) => {
          const about = commentIdsIn(run.context)
            .map((id) => ` ${id}`)
            .join('');
          return `  ${run.run_id} ${run.agent} ${run.cause} ${run.status} ${run.error_code ?? ''} chain ${numberOfRun(run.chain)} attempt ${run.attempt}${run.exhausted ? ' exhausted' : ''}${about}`;
        }),
        ...this.wakeupsOf(task).map(
          ({ agent, reason, status, code }) => `  ${reason} of ${agent} ${status}${code === null ? '' : ` ${code}`}`,
        ),
      ];
    });
  }
}
