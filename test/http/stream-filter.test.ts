import { StreamFilter, type Asked } from '../../src/http/stream/stream-filter.js';
import { fact, opened, started } from '../facts.js';
import { onRoutine, onTask } from '../projections/folded.js';
import { fireCreated, firedByHand, routineDefined } from '../routine-facts.js';

const taken = fact('FireTaken', {
  task: 'nightly~1',
  routine: 'nightly',
  fire: 'nightly@1',
  how: 'opened',
  wakeupId: null,
  runId: 'nightly~1.1',
  code: null,
  takenAt: '2026-04-20T12:00:00.000Z',
});
const log = [
  ...onRoutine([routineDefined(), firedByHand(1), fireCreated(1)]),
  ...onTask([opened({ task: 'nightly~1', kind: 'routine', assignee: 'reviewer' }), taken], 'nightly~1'),
  ...onRoutine([routineDefined({ agent: 'reviewer' })], 'hourly'),
  ...onTask([opened(), started(1)]),
];

const told = (asked: Omit<Asked, 'company'>) => {
  const filter = new StreamFilter({ company: 'acme', ...asked });
  return log.flatMap((event) => {
    const topic = filter.topicOf(event);
    return topic ? [`${topic} ${event.type}`] : [];
  });
};

describe('a filter of a live stream', () => {
  it('tells of one routine its own events, and those of the tasks that it has opened', () =>
    expect(told({ routine: ['nightly'] })).toEqual([
      'routines RoutineDefined',
      'routines RoutineFired',
      'routines FireCreated',
      'tasks TaskOpened',
      'tasks FireTaken',
    ]));

  it('tells of the fires alone when routines are the topic', () =>
    expect(told({ routine: ['nightly', 'hourly'], topics: ['routines'] })).toHaveLength(4));

  it('finds the agent of a routine, and of the task that a fire is for', () =>
    expect(told({ agent: ['fixer'], topics: ['routines'] })).toEqual(['routines RoutineDefined', 'routines RoutineFired']));

  it('finds the run that a fire has led to', () =>
    expect(told({ run: ['nightly~1.1'] })).toEqual(['routines FireCreated', 'tasks FireTaken']));
});
