import { numberOfRun, type Recorded } from '../src/events/event.js';
import type { LaneEvent } from '../src/events/lane.js';
import { isRecovery, type RunStatus } from '../src/events/run.js';

/**
 * What holds for the history of every lane, whatever was asked of the ledger and in whichever order. It is told from the events alone,
 * and knows nothing of how decisions are made or states are folded.
 */
export function brokenLaws(history: readonly Recorded<LaneEvent>[], bounds: { maxAttempts: number }): string[] {
  const lane = new LawfulLane(bounds.maxAttempts);
  for (const [index, event] of history.entries()) {
    lane.record(event);
    if (history[index + 1]?.metadata.commandId !== event.metadata.commandId) lane.atEndOfAppend(event);
  }
  return lane.broken;
}

interface Run {
  readonly agent: string;
  readonly chain: string;
  readonly recovers: boolean;
  status: RunStatus;
  /** its demands went on to another run */
  passed: boolean;
  executed: boolean;
}
interface Opened {
  readonly runId: string;
  readonly agent: string;
  readonly chain: string;
  readonly attempt: number;
  readonly wakeupIds: readonly string[];
}
type Fate = 'arriving' | 'waiting' | 'skipped' | 'cancelled' | { readonly run: string } | { readonly into: string };

class LawfulLane {
  readonly broken: string[] = [];
  private readonly runs = new Map<string, Run>();
  private readonly recovered = new Set<string>();
  private readonly demands = new Map<string, { agent: string; fate: Fate }>();

  constructor(private readonly maxAttempts: number) {}

  record(event: LaneEvent): void {
    switch (event.type) {
      case 'WakeupRequested':
        if (this.demands.has(event.data.wakeupId)) this.broken.push(`${event.data.wakeupId} was requested twice`);
        this.demands.set(event.data.wakeupId, { agent: event.data.agent, fate: 'arriving' });
        return;
      case 'WakeupCoalesced':
        return this.dispose(event.data.wakeupId, { into: event.data.into });
      case 'WakeupDeferred':
        return this.dispose(event.data.wakeupId, 'waiting');
      case 'WakeupSkipped':
        return this.dispose(event.data.wakeupId, 'skipped');
      case 'WakeupCancelled':
        return this.dispose(event.data.wakeupId, 'cancelled');
      case 'RunQueued':
        return this.open(event.data, 'queued', isRecovery(event.data.cause));
      case 'RetryScheduled':
        return this.open(event.data, 'scheduled_retry');
      case 'RetryPromoted':
        return this.move(event.data, 'scheduled_retry', 'queued');
      case 'RunStarted':
        return this.move(event.data, 'queued', 'running');
      case 'RunSucceeded':
        return this.move(event.data, 'running', 'succeeded');
      case 'RunFailed':
        return this.move(event.data, 'running', 'failed');
      case 'RunTimedOut':
        return this.move(event.data, 'running', 'timed_out');
      case 'RunCancelled':
        return this.cancel(event.data);
      case 'RetrySuperseded':
        this.move(event.data, event.data.from, 'cancelled');
        return this.pass(event.data.runId);
      default:
    }
  }

  /** Between appends nothing is on its way, no lane is doubly held, and every demand has one place. */
  atEndOfAppend({ revision }: Recorded<LaneEvent>): void {
    const open = [...this.runs.values()].filter(({ status }) => ['queued', 'scheduled_retry', 'running'].includes(status));
    const running = open.filter(({ status }) => status === 'running');
    this.expect(running.length <= 1, `at ${revision}: ${running.length} runs are running`);
    this.expect(new Set(open.map(({ agent }) => agent)).size === open.length, `at ${revision}: an agent has two open runs`);
    for (const [id, { agent, fate }] of this.demands) {
      this.expect(fate !== 'arriving', `at ${revision}: ${id} has found no place`);
      this.expect(fate !== 'waiting' || running.some((run) => run.agent === agent), `at ${revision}: ${id} waits for nothing`);
      this.expect(this.hasOneFate(id), `at ${revision}: ${id} has no fate`);
    }
    this.expectBudget(revision);
  }

  private hasOneFate(id: string, seen = new Set<string>()): boolean {
    const fate = this.demands.get(id)?.fate;
    if (fate === undefined || seen.has(id)) return false;
    if (typeof fate === 'string') return true;
    if ('into' in fate) return this.hasOneFate(fate.into, seen.add(id));
    return this.runs.get(fate.run)?.passed === false;
  }

  private expectBudget(revision: number): void {
    const executions = new Map<string, number>();
    for (const { chain, executed } of this.runs.values()) if (executed) executions.set(chain, (executions.get(chain) ?? 0) + 1);
    for (const [chain, count] of executions)
      this.expect(count <= 1 + this.maxAttempts + 1, `at ${revision}: ${chain} was executed ${count} times`);
  }

  private open(run: Opened, status: RunStatus, recovers = false): void {
    const { runId, agent, chain, attempt, wakeupIds } = run;
    this.expect(attempt <= this.maxAttempts, `${runId} is attempt ${attempt} of ${this.maxAttempts}`);
    this.expect(numberOfRun(runId) === this.runs.size + 1, `${runId} is the run number ${this.runs.size + 1}`);
    this.expect(wakeupIds.length > 0, `nobody asked for ${runId}`);
    const before = [...this.runs.values()].findLast((other) => other.chain === chain);
    this.expect(!recovers || before?.status !== 'succeeded', `${runId} recovers what succeeded`);
    this.runs.set(runId, { agent, chain, recovers, status, passed: false, executed: false });
    for (const id of wakeupIds) this.dispose(id, { run: runId });
  }

  private move({ runId, from: said }: { runId: string; from: RunStatus }, from: RunStatus, to: RunStatus): void {
    const run = this.runs.get(runId);
    if (run?.status !== from || said !== from)
      return void this.broken.push(`${runId} went from ${run?.status} (said to be ${said}) to ${to}`);
    run.status = to;
    run.executed ||= to === 'running';
    if (run.recovers && to === 'running') this.recover(run.chain, runId);
  }

  /** What the ledger takes up by itself, it takes up once; what somebody has superseded was not taken up. */
  private recover(chain: string, runId: string): void {
    this.expect(!this.recovered.has(chain), `${runId} recovers ${chain} once more`);
    this.recovered.add(chain);
  }

  private cancel({ runId, from, wakeups, intent }: Extract<LaneEvent, { type: 'RunCancelled' }>['data']): void {
    this.expect(['queued', 'scheduled_retry', 'running'].includes(from), `${runId} was cancelled while ${from}`);
    this.expect(
      (wakeups === 'passed') === (intent === 'requeue'),
      `${runId}: a requeue passes its demands, and nothing else does`,
    );
    this.move({ runId, from }, from, 'cancelled');
    if (wakeups === 'passed') this.pass(runId);
  }

  /** Another run takes over; what was done so far is no execution. */
  private pass(runId: string): void {
    const run = this.runs.get(runId);
    if (run) Object.assign(run, { passed: true, executed: false });
  }

  /** A demand that was disposed of for good stays so, and none is taken from a run that goes on, but by being withdrawn. */
  private dispose(id: string, fate: Fate): void {
    const demand = this.demands.get(id);
    if (!demand) return void this.broken.push(`${id} was never requested`);
    this.expect(demand.fate !== 'skipped' && demand.fate !== 'cancelled', `${id} was ${String(demand.fate)} already`);
    if (typeof demand.fate === 'object' && 'run' in demand.fate && fate !== 'cancelled')
      this.expect(this.runs.get(demand.fate.run)?.passed === true, `${id} was taken from ${demand.fate.run}`);
    demand.fate = fate;
  }

  private expect(lawful: boolean, otherwise: string): void {
    if (!lawful) this.broken.push(otherwise);
  }
}
