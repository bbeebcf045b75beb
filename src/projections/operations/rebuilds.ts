import type { Actor, Position } from '../../events/event.js';
import type { Comparison, ReadModelName, RebuildPurpose } from '../../events/operations.js';
import { amend, create, projection, type Change, type Fact } from '../projection.js';

/** What has become of a rebuild, whether or not what it built is still there. */
export interface RebuildRow {
  readonly rebuild: ReadModelName;
  readonly projection: string;
  readonly version: number;
  readonly generation: number;
  /** the read model that it is compared with */
  readonly beside: ReadModelName;
  readonly purpose: RebuildPurpose;
  readonly phase: RebuildPhase;
  readonly paused: boolean;
  readonly events_per_second: number | null;
  readonly reason: string;
  readonly actor: Actor;
  readonly started_at: string;
  readonly filled_at: string | null;
  /** that were folded to fill it, and the rows that came of them */
  readonly events: number | null;
  readonly rows: number | null;
  readonly compared_at: string | null;
  readonly comparison: Comparison | null;
  /** why it failed */
  readonly error: string | null;
  readonly cut_over_at: string | null;
  readonly ended_at: string | null;
  readonly position: Position;
}

/**
 * `filled`: it catches up and is compared. `ready` agrees, and may be cut over to; `different` may not. `verified` agreed, `different` of one
 * that was to be verified did not, and both are over. `former`: it was live, and is followed still.
 */
export type RebuildPhase =
  'filling' | 'filled' | 'ready' | 'different' | 'verified' | 'live' | 'former' | 'failed' | 'abandoned' | 'dropped';

export const rebuilds = projection<RebuildRow>({
  name: 'rebuilds',
  version: 1,
  key: ['rebuild'],
  keyedBy: 'stream',
  on: {
    RebuildStarted: (event) => create([event.data.rebuild], started(event)),
    RebuildPaused: ({ data }) => changed(data.rebuild, () => ({ paused: true })),
    RebuildResumed: ({ data }) => changed(data.rebuild, () => ({ paused: false, events_per_second: data.eventsPerSecond })),
    RebuildFilled: ({ data: { rebuild, events, rows, filledAt } }) =>
      changed(rebuild, () => ({ phase: 'filled', events, rows, filled_at: filledAt })),
    RebuildCompared: ({ data: { rebuild, comparedAt, ...comparison } }) =>
      changed(rebuild, ({ purpose }) => compared(comparison, comparedAt, purpose)),
    RebuildFailed: ({ data }) => changed(data.rebuild, () => ({ phase: 'failed', error: data.error, ended_at: data.failedAt })),
    RebuildAbandoned: ({ data }) => changed(data.rebuild, () => ({ phase: 'abandoned', ended_at: data.abandonedAt })),
    ReadModelCutOver: ({ data: { from, to, cutOverAt } }) => exchanged(from, to, cutOverAt),
    ReadModelRolledBack: ({ data: { from, to, rolledBackAt } }) => exchanged(from, to, rolledBackAt),
    ReadModelDropped: ({ data }) => changed(data.readModel, () => ({ phase: 'dropped', ended_at: data.droppedAt })),
    StoreMoved: ({ data: { readModels, movedAt } }) =>
      Object.keys(readModels).map((former) => changed(former, () => ({ phase: 'dropped', ended_at: movedAt }))),
  },
});

const changed = (rebuild: ReadModelName, change: (row: RebuildRow) => Partial<RebuildRow>): Change<RebuildRow> =>
  amend([rebuild], (row) => ({ ...row, ...change(row) }));

function started({ data, metadata, position }: Fact<'RebuildStarted'>): RebuildRow {
  const { rebuild, projection: of, version, generation, beside, purpose, eventsPerSecond, reason, startedAt } = data;
  return {
    rebuild,
    projection: of,
    version,
    generation,
    beside,
    purpose,
    phase: 'filling',
    paused: false,
    events_per_second: eventsPerSecond,
    reason,
    actor: metadata.actor,
    started_at: startedAt,
    ...nothingYet,
    position,
  };
}

const nothingYet = {
  filled_at: null,
  events: null,
  rows: null,
  compared_at: null,
  comparison: null,
  error: null,
  cut_over_at: null,
  ended_at: null,
};

function compared(comparison: Comparison, at: string, purpose: RebuildPurpose): Partial<RebuildRow> {
  const isOver = purpose === 'verify';
  const phase = comparison.agrees ? (isOver ? 'verified' : 'ready') : 'different';
  return { phase, comparison, compared_at: at, ...(isOver && { ended_at: at }) };
}

/** The one that was installed without a rebuild has no row. */
const exchanged = (from: ReadModelName, to: ReadModelName, at: string): Change<RebuildRow>[] => [
  changed(from, () => ({ phase: 'former', cut_over_at: at })),
  changed(to, () => ({ phase: 'live', cut_over_at: at })),
];
