import { recordMove, sealStore, unsealStore } from '../../src/commands/operations/store.js';
import { nameUuid, type Recorded } from '../../src/events/event.js';
import { operations } from '../../src/events/evolve-operations.js';
import {
  isGone,
  type OperationsEvent,
  type StoreMoved,
  type StoreSealed,
  type StoreUnsealed,
} from '../../src/events/operations.js';
import { operationsStory } from '../../src/projections/operations/operations-story.js';
import { person } from '../facts.js';
import { given } from '../given.js';
import { onOperations } from '../projections/folded.js';

const log = nameUuid('a log');
const copy = nameUuid('its copy');
const sealed: StoreSealed = {
  type: 'StoreSealed',
  data: { log, reason: 'moved', sealedBy: person, sealedAt: '2026-04-20T12:00:00.000Z' },
};
const unsealed: StoreUnsealed = {
  type: 'StoreUnsealed',
  data: { log, reason: 'not yet', unsealedAt: '2026-04-20T12:01:00.000Z' },
};
const moved: StoreMoved = {
  type: 'StoreMoved',
  data: {
    from: log,
    to: copy,
    events: 42,
    digest: 'c0ffee',
    readModels: { tasks_v1: { projection: 'tasks', readModel: 'tasks_v1_g2' } },
    reason: 'asked for',
    movedAt: '2026-04-20T12:02:00.000Z',
  },
};

describe('closing a log', () => {
  it('tells who closes it and why', () =>
    given()
      .when(sealStore, { log, reason: 'moved' })
      .then({ type: 'StoreSealed', data: { log, reason: 'moved', sealedBy: person } }));
  it('is told once', () => given(sealed).when(sealStore, { log, reason: 'again' }).thenNothing());
  it('is told again when it was opened in between', () =>
    given(sealed, unsealed)
      .when(sealStore, { log })
      .then({ type: 'StoreSealed', data: { log, reason: 'asked for' } }));
  it('is told of a copy of a log that was closed', () =>
    given(sealed)
      .when(sealStore, { log: copy })
      .then({ type: 'StoreSealed', data: { log: copy } }));
});

describe('opening a log', () => {
  it('tells why', () =>
    given(sealed)
      .when(unsealStore, { log, reason: 'not yet' })
      .then({ type: 'StoreUnsealed', data: { log, reason: 'not yet' } }));
  it('is told once', () => given(sealed, unsealed).when(unsealStore, { log }).thenNothing());
  it('is nothing where it is open', () => given().when(unsealStore, { log }).thenNothing());
  it('is nothing where it is another log that is closed', () => given(sealed).when(unsealStore, { log: copy }).thenNothing());
});

describe('going on in a copy', () => {
  const { reason: _, movedAt: __, ...move } = moved.data;

  it('tells what it was proven to be a copy of', () =>
    given(sealed).when(recordMove, move).then({ type: 'StoreMoved', data: move }));
  it('is told once', () => given(sealed, moved).when(recordMove, move).thenNothing());
  it('is told of a copy of the copy', () =>
    given(sealed, moved)
      .when(recordMove, { ...move, from: copy, to: log })
      .then({ type: 'StoreMoved', data: { from: copy, to: log } }));
  it('knows what is asked, and what is gone back to, by the names that stand for them', () => {
    const of = { projection: 'tasks', from: 'tasks_v1', to: 'tasks_v2', reason: 'asked for' };
    const cutOver: OperationsEvent = { type: 'ReadModelCutOver', data: { ...of, cutOverAt: '2026-04-20T12:00:00.000Z' } };
    const readModels = {
      tasks_v1: { projection: 'tasks', readModel: 'tasks_v1_g2' },
      tasks_v2: { projection: 'tasks', readModel: 'tasks_v2_g2' },
    };
    const facts: OperationsEvent[] = [cutOver, { ...moved, data: { ...moved.data, readModels } }];
    const state = facts.reduce(operations.evolve, operations.initial);
    expect(state.live).toEqual({ tasks: 'tasks_v2_g2' });
    expect(state.readModels['tasks_v2_g2']).toMatchObject({ name: 'tasks_v2_g2', before: 'tasks_v1_g2' });
    expect(['tasks_v1', 'tasks_v2', 'tasks_v1_g2', 'tasks_v2_g2'].map((name) => isGone(state, name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
  it('ends that the log is closed', () => given(sealed, moved).when(sealStore, { log }).then({ type: 'StoreSealed' }));
});

it.each<[OperationsEvent, string]>([
  [sealed, `log ${log} is closed for writes: moved`],
  [unsealed, `log ${log} is open for writes again: not yet`],
  [moved, `log ${copy} goes on after 42 events of log ${log}: asked for`],
])('tells $type as a sentence', (event, sentence) =>
  expect(operationsStory(onOperations([event])[0] as Recorded<OperationsEvent>)).toBe(sentence),
);
