import { sql } from 'kysely';
import type { Position, RunId, TaskId, WakeupId } from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import type { Place } from '../events/run.js';
import { DueRetries, type DueLane, type DueRun } from '../commands/promote-due-retries.js';
import { heldSql } from './held.js';
import { holds } from './holds.js';
import { patienceOfCommandsMs, type Progress } from './projector/progress.js';
import { amend, change, projection, type Change, type Fact, type Handlers } from './projection.js';
import type { ReadModels } from './read-models.js';

/** A lane on which at least one run is parked. */
export interface DueRetriesRow {
  readonly company: string;
  readonly task: TaskId;
  /** of the stream's last event, whatever it was: a promotion is appended at it */
  readonly revision: number;
  /** of the first run that comes due */
  readonly due_at: string;
  /** by due time, then run id */
  readonly parked: readonly DueRun[];
}

export const dueRetries = projection<DueRetriesRow>({
  name: 'due_retries',
  version: 1,
  key: ['company', 'task'],
  keyedBy: 'stream',
  sparse: true,
  on: {
    RetryScheduled: (event) => change(laneOf(event), (lane) => laneWith(event, [...(lane?.parked ?? []), parkedRun(event)])),
    RetryPromoted: (event) => unparked(event),
    RetrySuperseded: (event) => unparked(event),
    RunCancelled: (event) => unparked(event),
    TaskChanged: (event) => replaced(event, { priority: event.data.priority }),
    TaskStatusChanged: (event) => replaced(event, { taskStatus: event.data.to }),
    WakeupCancelled: (event) => withdrawn(event, event.data.wakeupId),
    TaskOpened: (event) => passed(event),
    TaskAssigned: (event) => passed(event),
    WakeupRequested: (event) => passed(event),
    WakeupCoalesced: (event) => passed(event),
    WakeupDeferred: (event) => passed(event),
    WakeupSkipped: (event) => passed(event),
    RunQueued: (event) => passed(event),
    RunStarted: (event) => passed(event),
    ProcessRecorded: (event) => passed(event),
    RunSucceeded: (event) => passed(event),
    RunFailed: (event) => passed(event),
    RunTimedOut: (event) => passed(event),
    RetryExhausted: (event) => passed(event),
    RecoveryEscalated: (event) => passed(event),
    BlockersSet: (event) => passed(event),
    BlockerResolved: (event) => passed(event),
    BlockerReopened: (event) => passed(event),
    CommentAdded: (event) => passed(event),
    CommentRemoved: (event) => passed(event),
    TaskHeld: (event) => passed(event),
    TaskReleased: (event) => passed(event),
    RunDetached: (event) => passed(event),
    RunReattached: (event) => passed(event),
    RunWentSilent: (event) => passed(event),
    SilenceDecided: (event) => passed(event),
    FireTaken: (event) => passed(event),
    // Every event of a lane moves its revision, so one that is missing here does not compile.
  } satisfies Required<Pick<Handlers<DueRetriesRow>, LaneEvent['type']>>,
});

/** What promotion starts from. */
export class DueRetriesQueries extends DueRetries {
  constructor(
    private readonly readModels: ReadModels,
    private readonly progress: Progress,
  ) {
    super();
  }

  caughtUp(position: Position): Promise<void> {
    return this.progress.reached([dueRetries.name, holds.name], position, patienceOfCommandsMs);
  }

  async due(now: string, limit: number, { company, after }: { company?: string; after?: DueLane }): Promise<DueLane[]> {
    const lanes = await this.readModels.table(dueRetries);
    const { withHeld, isAnythingHeld, isLaneHeld, isAgentHeld } = await heldSql(this.readModels);
    const { rows } = await sql<DueLane>`
      ${withHeld}
      select
        company,
        task,
        revision,
        due_at as "dueAt",
        parked as runs,
        case when ${isAnythingHeld} then array(
          select run ->> 'runId'
          from jsonb_array_elements(parked) run
          where ${isLaneHeld(ofLane.company, ofLane.task)}
            or ${isAgentHeld(ofLane.company, sql`run ->> 'agent'`)}
        ) else '{}' end as held
      from ${lanes} lane
      where due_at <= ${now}
        and ${company === undefined ? sql`true` : sql`company = ${company}`}
        and ${after ? sql`(due_at, company, task) > (${after.dueAt}, ${after.company}, ${after.task})` : sql`true`}
      order by due_at, company, task
      limit ${limit}`.execute(this.readModels.kysely);
    return rows;
  }

  async nextDue(): Promise<string | undefined> {
    const lanes = await this.readModels.table(dueRetries);
    const { withHeld, isLaneHeld, isAgentHeld } = await heldSql(this.readModels);
    // In the order of the index, so that it ends with the first lane of which not all is held.
    const { rows } = await sql<{ due_at: string }>`
      ${withHeld}
      select due_at
      from ${lanes} lane
      where not ${isLaneHeld(ofLane.company, ofLane.task)}
        and exists (
          select
          from jsonb_array_elements(parked) run
          where not ${isAgentHeld(ofLane.company, sql`run ->> 'agent'`)}
        )
      order by due_at, company, task
      limit 1`.execute(this.readModels.kysely);
    return rows[0]?.due_at;
  }
}

const ofLane = { company: sql.ref('lane.company'), task: sql.ref('lane.task') };

type OfLane = Fact<LaneEvent['type']>;

const laneOf = ({ company, subject }: OfLane) => [company, subject];

function laneWith({ company, subject, revision }: OfLane, runs: readonly DueRun[]): DueRetriesRow | undefined {
  const parked = runs.toSorted(byDueTime);
  return parked[0] && { company, task: subject, revision, due_at: parked[0].dueAt, parked };
}

const byDueTime = (a: DueRun, b: DueRun) => (a.dueAt === b.dueAt ? compare(a.runId, b.runId) : compare(a.dueAt, b.dueAt));
const compare = (a: string, b: string) => (a < b ? -1 : 1);

function parkedRun({ data }: Fact<'RetryScheduled'>): DueRun {
  const { runId, agent, chain, attempt, dueAt, queuedAt, wakeupIds, place } = data;
  return { runId, agent, chain, attempt, dueAt, queuedAt, wakeupIds, place };
}

const passed = (event: OfLane): Change<DueRetriesRow> => amend(laneOf(event), (lane) => ({ ...lane, revision: event.revision }));

const amendRuns = (event: OfLane, runs: (parked: readonly DueRun[]) => readonly DueRun[]): Change<DueRetriesRow> =>
  amend(laneOf(event), (lane) => laneWith(event, runs(lane.parked)));

const unparked = (event: OfLane & { data: { runId: RunId } }) =>
  amendRuns(event, (parked) => parked.filter((run) => run.runId !== event.data.runId));

const replaced = (event: OfLane, place: Partial<Place>) =>
  amendRuns(event, (parked) => parked.map((run) => ({ ...run, place: { ...run.place, ...place } })));

const withdrawn = (event: OfLane, wakeupId: WakeupId) =>
  amendRuns(event, (parked) => parked.map((run) => ({ ...run, wakeupIds: run.wakeupIds.filter((id) => id !== wakeupId) })));
