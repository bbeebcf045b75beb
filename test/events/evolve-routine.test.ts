import { routines } from '../../src/events/evolve-routine.js';
import type { Routine, RoutineEvent } from '../../src/events/routine.js';
import { fireConcluded, fireCreated, firedByHand, fireRedirected, routineDefined } from '../routine-facts.js';

const after = (...facts: readonly RoutineEvent[]): Routine =>
  [routineDefined(), ...facts].reduce(routines.evolve, routines.initial)!;
const fires = (count: number) => Array.from({ length: count }, (_, n) => firedByHand(n + 1, { fingerprint: `print ${n + 1}` }));
const namesOf = ({ tasks }: Routine): string[] => tasks.map(({ task }) => task);

describe('the tasks that a routine knows', () => {
  it('are those of the 500 fingerprints that were used last', () => {
    const known = namesOf(after(...fires(502)));
    expect(known).toHaveLength(500);
    expect([known[0], known.at(-1)]).toEqual(['nightly~3', 'nightly~502']);
  });

  it('are those that are open, before others', () => {
    const known = namesOf(after(...fires(500), fireConcluded(2, 'done'), fireConcluded(9, 'blocked'), ...fires(502).slice(500)));
    expect(known).toHaveLength(500);
    expect(known.slice(0, 3)).toEqual(['nightly~3', 'nightly~4', 'nightly~5']);
    expect(namesOf(after(...fires(500), fireConcluded(2, 'done'), firedByHand(501, { fingerprint: 'print 501' })))[0]).toBe(
      'nightly~1',
    );
  });

  it('are one for each fingerprint, that of its last fire, and the last of all', () =>
    expect(namesOf(after(...fires(3), firedByHand(4, { fingerprint: 'print 2' })))).toEqual([
      'nightly~1',
      'nightly~3',
      'nightly~4',
    ]));
});

it('knows a fire as pending where it is on its way to, until it has an outcome', () => {
  const order = { ...firedByHand(2).data.order!, task: 'nightly~1' };
  const ways = [firedByHand(2, { order }), fireRedirected(2, 1), fireCreated(2)];
  expect([1, 2, 3].map((count) => after(...ways.slice(0, count)).pending.map(({ task }) => task))).toEqual([
    ['nightly~1'],
    ['nightly~2'],
    [],
  ]);
});
