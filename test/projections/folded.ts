import {
  agentStream,
  nameUuid,
  routineStream,
  subjectOf,
  taskStream,
  type Actor,
  type Recorded,
  type StreamId,
} from '../../src/events/event.js';
import type { AgentEvent } from '../../src/events/agent.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { operationsStream, type OperationsEvent } from '../../src/events/operations.js';
import type { RoutineEvent } from '../../src/events/routine.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import type { Projection } from '../../src/projections/projection.js';
import { at, person } from '../facts.js';

/** Facts of acme's ACME-12, or of another of its tasks, as the store would keep them. */
export const onTask = (facts: readonly LaneEvent[], task = 'ACME-12'): Recorded<LedgerEvent>[] =>
  recorded(taskStream('acme', task), facts);

export const onAgent = (facts: readonly AgentEvent[], agent = 'fixer'): Recorded<LedgerEvent>[] =>
  recorded(agentStream('acme', agent), facts);

export const onRoutine = (facts: readonly RoutineEvent[], routine = 'nightly'): Recorded<LedgerEvent>[] =>
  recorded(routineStream('acme', routine), facts);

export const onOperations = (facts: readonly OperationsEvent[]): Recorded<LedgerEvent>[] => recorded(operationsStream, facts);

/** `given(...).folded(runStatus)` are its rows after these facts, in the order in which they came to be. */
export const given = (...logs: readonly Recorded<LedgerEvent>[][]) => ({
  folded: <Row extends object>(projection: Projection<Row>): Row[] => foldLog(projection, logs.flat()),
});

/** The row of a projection that has one. */
export function only<Row>(rows: readonly Row[]): Row {
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

function recorded(stream: StreamId, facts: readonly LedgerEvent[], actor: Actor = person): Recorded<LedgerEvent>[] {
  return facts.map((event, revision) => ({
    ...event,
    id: nameUuid(stream, revision),
    schema: 1,
    stream,
    ...subjectOf(stream),
    revision,
    position: String(revision + 1).padStart(16, '0'),
    recordedAt: at('12:00').toISOString(),
    metadata: { actor, correlationId: 'command-1', causationId: 'command-1', commandId: 'command-1' },
  }));
}
