import type { Comparison, Operations, OperationsEvent } from '../../events/operations.js';
import { decision, type World } from '../decider.js';
import { Exact, FreeJson, Int, ProcessText } from '../fields.js';
import { ofOperations, rebuildAnswer } from './rebuild.js';

/** How far a rebuild has come, said by whoever carries it out. Of one that is given up meanwhile, nothing is recorded. */
export class RecordFilled {
  @Exact(200) rebuild!: string;
  @Exact(64) position!: string;
  @Int(0, Number.MAX_SAFE_INTEGER) events!: number;
  @Int(0, Number.MAX_SAFE_INTEGER) rows!: number;
}

export const recordFilled = decision({
  command: RecordFilled,
  ...ofOperations,
  decide: ({ ...filled }: RecordFilled, state: Operations, { now }: World): OperationsEvent[] =>
    statusOf(state, filled.rebuild) === 'filling'
      ? [{ type: 'RebuildFilled', data: { ...filled, filledAt: now.toISOString() } }]
      : [],
  answer: rebuildAnswer,
});

export class RecordComparison {
  @Exact(200) rebuild!: string;
  @FreeJson() comparison!: Comparison;
}

export const recordComparison = decision({
  command: RecordComparison,
  ...ofOperations,
  // One that was paused at the last moment is compared again when it goes on.
  decide: ({ rebuild, comparison }: RecordComparison, state: Operations, { now }: World): OperationsEvent[] =>
    statusOf(state, rebuild) === 'filled' && !state.readModels[rebuild]?.rebuild?.paused
      ? [{ type: 'RebuildCompared', data: { ...comparison, rebuild, comparedAt: now.toISOString() } }]
      : [],
  answer: rebuildAnswer,
});

export class RecordFailure {
  @Exact(200) rebuild!: string;
  @ProcessText(4_000) error!: string;
}

export const recordFailure = decision({
  command: RecordFailure,
  ...ofOperations,
  decide: ({ rebuild, error }: RecordFailure, state: Operations, { now }: World): OperationsEvent[] => {
    const status = statusOf(state, rebuild);
    return status === 'filling' || status === 'filled'
      ? [{ type: 'RebuildFailed', data: { rebuild, error, failedAt: now.toISOString() } }]
      : [];
  },
  answer: rebuildAnswer,
});

const statusOf = ({ readModels }: Operations, name: string) => readModels[name]?.rebuild?.status;
