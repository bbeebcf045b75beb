import { taskStream, type Recorded } from '../../src/events/event.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { isClosed } from '../../src/events/task.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import type { RunRow } from '../../src/projections/run-status.js';
import { brokenLaws } from '../laws.js';
import type { Rig } from './rig.js';
import { policies, tasks } from './steps.js';

/** What holds at every step, whatever was asked. */
export function brokenOf(rig: Rig): string | undefined {
  for (const { task, violations, first_violation: first } of rig.conserved.all())
    if (violations > 0) return `${task}: demands are not conserved: ${JSON.stringify(first)}`;
  for (const task of tasks) {
    const open = rig.runsOf(task).filter(({ finished_at: end }) => end === null);
    if (open.filter(({ status }) => status === 'running').length > 1) return `two runs are running on ${task}`;
    if (new Set(open.map(({ agent }) => agent)).size < open.length) return `an agent has two open runs on ${task}`;
  }
  return rig.beside ?? withoutNextStep(rig);
}

/** A failure that passes by itself has exactly one next step, in the append that says it; where it has none, a gate is shut. */
function withoutNextStep({ appended, tasks: rows, terminated }: Rig): string | undefined {
  for (const event of appended) {
    if (event.type !== 'RunFailed' || !['transient_upstream', 'quota'].includes(event.data.errorFamily)) continue;
    const { runId, agent } = event.data;
    const same = appended.filter(
      ({ stream, metadata }) => stream === event.stream && metadata.commandId === event.metadata.commandId,
    );
    const next = same.filter((other) => isNextStep(other, runId, agent));
    const task = rows.rows.get(`acme\n${event.subject}`);
    const isShut = !task || isClosed(task.status) || task.assignee !== agent || terminated.has(agent);
    if (next.length !== 1 && !(isShut && next.length === 0)) return `${runId} has ${next.length} next steps`;
  }
  return undefined;
}

function isNextStep(event: Recorded<LedgerEvent>, run: string, agent: string): boolean {
  if (event.type === 'RetryScheduled') return event.data.retryOf === run;
  if (event.type === 'RetryExhausted') return event.data.runId === run;
  return event.type === 'RunQueued' && event.data.agent === agent && event.data.cause === 'deferred' && event.data.outside;
}

/** What holds of a history as a whole, and of what was folded from it bit by bit. */
export async function brokenAtTheEnd(rig: Rig): Promise<string | undefined> {
  const maxAttempts = Math.max(...Object.values(policies).map(({ retry }) => retry.delaysMs.length));
  for (const task of tasks) {
    const broken = brokenLaws(await rig.ledger.history(task), { maxAttempts });
    if (broken.length > 0) return `${task}: ${broken.join('; ')}`;
    const kept = await rig.ledger.ports.ledger.streams.state(lanes, taskStream('acme', task));
    const same = JSON.stringify(kept) === JSON.stringify(await rig.ledger.lane(task));
    if (!same) return `${task}: what is kept of the lane is not what its history folds to`;
  }
  const followed = [rig.runs, rig.wakeups, rig.tasks, rig.conserved] as const;
  for (const { projection, rows } of followed)
    if (JSON.stringify([...rows.values()]) !== JSON.stringify(foldLog<object>(projection as never, rig.log)))
      return `${projection.name}: a rebuild is not what is live`;
  return undefined;
}

/** With nothing held any more, and workers at it, all that is open has come to an end, and no work is left without an owner. */
export async function leftBehind(rig: Rig): Promise<string | undefined> {
  const open = rig.runs.all().find(({ finished_at: end }) => end === null);
  if (open) return `${open.run_id} is ${open.status} for ever`;
  const waiting = rig.wakeups.all().find(({ status }) => status === 'queued' || status === 'deferred');
  if (waiting) return `${waiting.wakeup_id} of ${waiting.agent} on ${waiting.task} is ${waiting.status} for ever`;
  for (const task of tasks) {
    const { status, assignee, blockers } = await rig.ledger.lane(task);
    const stale = blockers.find(
      (blocker) => blocker.open === isClosed(rig.tasks.rows.get(`acme\n${blocker.task}`)?.status ?? 'todo'),
    );
    if (stale) return `${task} does not know what became of ${stale.task}`;
    if (task.startsWith('heartbeat') || (status !== 'todo' && status !== 'in_progress') || assignee === null) continue;
    if (blockers.some(({ open: stands }) => stands)) continue;
    if (rig.terminated.has(assignee)) return `${task} is left to ${assignee}, who was terminated`;
    const last = rig.runsOf(task).findLast((run) => run.agent === assignee && run.error_code !== 'comment_removed');
    const isOver = last && (last.status === 'failed' || last.status === 'timed_out' || wasShutOut(last));
    if (isOver) return `${task} is stranded behind ${last.run_id}`;
  }
  return undefined;
}

/** Before its start, and by a gate that is open by now. */
const wasShutOut = ({ status, started_at: started, error_code: code }: RunRow): boolean =>
  status === 'cancelled' && started === null && code !== null && code.startsWith('issue_');
