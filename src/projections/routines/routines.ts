import { nextDueAt } from '../../events/due-slot.js';
import type { AgentId, RoutineId } from '../../events/event.js';
import { slotPassed } from '../../events/evolve-routine.js';
import type {
  CatchUpPolicy,
  ConcurrencyPolicy,
  FireId,
  RoutineDefinition,
  RoutineEvent,
  RoutineStatus,
  Trigger,
  Variable,
} from '../../events/routine.js';
import type { TaskPriority } from '../../events/task.js';
import { amend, create, projection, type Change, type Fact, type Handlers } from '../projection.js';
import type { FireOutcome } from './routine-fires.js';

/** A routine as it is defined, and when it is due. */
export interface RoutineRow {
  readonly company: string;
  readonly routine: RoutineId;
  readonly status: RoutineStatus;
  /** why, and since when it is paused or archived */
  readonly reason: string | null;
  readonly since: string;
  /** templates */
  readonly title: string;
  readonly description: string | null;
  readonly agent: AgentId | null;
  readonly priority: TaskPriority;
  readonly concurrency: ConcurrencyPolicy;
  readonly catch_up: CatchUpPolicy;
  readonly variables: readonly Variable[];
  readonly fingerprint_ignore: readonly string[];
  readonly spread_sec: number;
  readonly active_from: string | null;
  readonly active_until: string | null;
  readonly triggers: readonly Trigger[];
  readonly defined_at: string;
  /** when its definition changed last */
  readonly changed_at: string;
  /** number of the last fire, or fact about missed slots */
  readonly fires: number;
  /** how many have come to what, `caught_up` those that are no fires */
  readonly outcomes: Outcomes;
  readonly last_fire: FireId | null;
  readonly last_fired_at: string | null;
  /** when its slots are to be looked at next, while it is paused too; null: none will come, or it is archived */
  readonly next_due_at: string | null;
  /** of the stream's last event, whatever it was: what `If-Match` is compared with */
  readonly revision: number;
}

export type Outcomes = Readonly<Record<FireOutcome, number>>;

export const routines = projection<RoutineRow>({
  name: 'routines',
  version: 1,
  key: ['company', 'routine'],
  keyedBy: 'stream',
  on: {
    RoutineDefined: (event) => create(routineOf(event), dueOf(defined(event))),
    RoutineChanged: (event) => moved(event, () => ({ ...described(event.data), changed_at: event.data.changedAt })),
    RoutinePaused: (event) => became(event, 'paused', event.data.reason, event.data.pausedAt),
    RoutineResumed: (event) => became(event, 'active', null, event.data.resumedAt),
    RoutineArchived: (event) => became(event, 'archived', event.data.reason, event.data.archivedAt),
    RoutineFired: (event) => fired(event),
    SlotsMissed: (event) => {
      const { n, trigger, nextSlot } = event.data;
      return moved(event, ({ triggers, outcomes }) => ({
        fires: n,
        outcomes: counted(outcomes, 'caught_up'),
        triggers: slotPassed(triggers, trigger, nextSlot),
      }));
    },
    TriggerSecretRotated: (event) => passed(event),
    FireCreated: (event) => settled(event, 'created'),
    FireCoalesced: (event) => settled(event, 'coalesced'),
    FireSkipped: (event) => settled(event, 'skipped'),
    FireSuppressed: (event) => settled(event, 'suppressed'),
    FireFailed: (event) => settled(event, 'failed'),
    FireRedirected: (event) => passed(event),
    FireConcluded: (event) => passed(event),
    FireReopened: (event) => passed(event),
    // Every event of a routine moves its revision, so one that is missing here does not compile.
  } satisfies Required<Pick<Handlers<RoutineRow>, RoutineEvent['type']>>,
});

type OfRoutine = Fact<RoutineEvent['type']>;

const routineOf = ({ company, subject }: OfRoutine) => [company, subject];

const defined = ({ company, revision, data }: Fact<'RoutineDefined'>): RoutineRow => ({
  company,
  routine: data.routine,
  status: 'active',
  reason: null,
  since: data.definedAt,
  ...described(data),
  defined_at: data.definedAt,
  changed_at: data.definedAt,
  fires: 0,
  outcomes: { pending: 0, created: 0, coalesced: 0, skipped: 0, suppressed: 0, failed: 0, caught_up: 0 },
  last_fire: null,
  last_fired_at: null,
  next_due_at: null,
  revision,
});

const described = (definition: RoutineDefinition) => ({
  title: definition.title,
  description: definition.description,
  agent: definition.agent,
  priority: definition.priority,
  concurrency: definition.concurrency,
  catch_up: definition.catchUp,
  variables: definition.variables,
  fingerprint_ignore: definition.fingerprintIgnore,
  spread_sec: definition.spreadSec,
  active_from: definition.activeFrom,
  active_until: definition.activeUntil,
  triggers: definition.triggers,
});

/** With the time at which it is due by what it is now. */
function dueOf(row: RoutineRow): RoutineRow {
  const { company, routine, spread_sec: spreadSec, triggers, status } = row;
  return { ...row, next_due_at: status === 'archived' ? null : nextDueAt(company, { routine, spreadSec, triggers }) };
}

const passed = (event: OfRoutine): Change<RoutineRow> => amend(routineOf(event), (row) => ({ ...row, revision: event.revision }));

const moved = (event: OfRoutine, change: (row: RoutineRow) => Partial<RoutineRow>): Change<RoutineRow> =>
  amend(routineOf(event), (row) => dueOf({ ...row, ...change(row), revision: event.revision }));

const became = (event: OfRoutine, status: RoutineStatus, reason: string | null, since: string): Change<RoutineRow> =>
  moved(event, () => ({ status, reason, since }));

function fired(event: Fact<'RoutineFired'>): Change<RoutineRow> {
  const { fire, n, trigger, source, nextSlot, firedAt } = event.data;
  const last = { fires: n, last_fire: fire, last_fired_at: firedAt };
  return moved(event, ({ triggers, outcomes }) => ({
    ...last,
    outcomes: counted(outcomes, 'pending'),
    ...(source === 'schedule' && { triggers: slotPassed(triggers, trigger, nextSlot) }),
  }));
}

const settled = (event: OfRoutine, outcome: FireOutcome): Change<RoutineRow> =>
  amend(routineOf(event), (row) => {
    const { pending, ...others } = counted(row.outcomes, outcome);
    return { ...row, outcomes: { ...others, pending: pending - 1 }, revision: event.revision };
  });

const counted = (outcomes: Outcomes, outcome: FireOutcome): Outcomes => ({ ...outcomes, [outcome]: outcomes[outcome] + 1 });
