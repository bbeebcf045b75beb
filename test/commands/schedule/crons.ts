import fc from 'fast-check';

/** Expressions of every form that is taken, those that name a time of the day more often than those that never rest. */
export function drawnCrons(count: number, seed: number): string[] {
  return fc.sample(cron(), { numRuns: count, seed });
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function cron(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 40, arbitrary: fc.tuple(minute(), hour(), date(), month(), weekday()).map((fields) => fields.join(' ')) },
    { weight: 1, arbitrary: fc.constantFrom('@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually') },
  );
}

function minute(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: value(0, 59) },
    { weight: 2, arbitrary: fc.constantFrom('0', '00', '30', '59') },
    { weight: 2, arbitrary: list(value(0, 59)) },
    { weight: 2, arbitrary: stepped('*', 10, 60) },
    { weight: 1, arbitrary: ranged(0, 59, 8) },
  );
}

/** The hours in which clocks are changed come often. */
function hour(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: value(0, 4) },
    { weight: 3, arbitrary: value(0, 23) },
    { weight: 2, arbitrary: list(value(0, 23)) },
    { weight: 2, arbitrary: ranged(0, 23, 1) },
    { weight: 1, arbitrary: stepped('*', 1, 24) },
    { weight: 1, arbitrary: fc.constant('*') },
  );
}

function date(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: value(1, 31) },
    { weight: 1, arbitrary: list(value(1, 31)) },
    { weight: 1, arbitrary: fc.constantFrom('*,13', '13,*', '*/10,31') },
    { weight: 1, arbitrary: ranged(1, 31, 1) },
    { weight: 1, arbitrary: stepped('*', 1, 31) },
  );
}

function month(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: value(1, 12) },
    { weight: 1, arbitrary: cased(months) },
    { weight: 1, arbitrary: list(fc.oneof(value(1, 12), cased(months))) },
    { weight: 1, arbitrary: ranged(1, 12, 1) },
    { weight: 1, arbitrary: namedRange(months) },
    { weight: 1, arbitrary: stepped('*', 1, 12) },
  );
}

function weekday(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: value(0, 7) },
    { weight: 1, arbitrary: cased(weekdays) },
    { weight: 1, arbitrary: list(fc.oneof(value(0, 7), cased(weekdays))) },
    { weight: 1, arbitrary: ranged(0, 7, 1) },
    { weight: 1, arbitrary: namedRange(weekdays).filter((range) => range !== 'sun-SUN') },
    { weight: 1, arbitrary: fc.constantFrom('Fri-Sun', 'sat-SUN', '3-sun') },
    { weight: 1, arbitrary: stepped('*', 1, 7) },
  );
}

const value = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);
const list = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(of, { minLength: 2, maxLength: 4 }).map((values) => values.join(','));
const ends = (min: number, max: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const stepped = (of: string, min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((step) => `${of}/${step}`);

/** A range; every other with a step of at least so much. */
const ranged = (min: number, max: number, step: number): fc.Arbitrary<string> =>
  ends(min, max).chain(([a, b]) =>
    step === 1 ? fc.oneof(fc.constant(`${a}-${b}`), stepped(`${a}-${b}`, 1, max - min)) : stepped(`${a}-${b}`, step, max - min),
  );
const cased = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...names), fc.constantFrom<'low' | 'first' | 'up'>('low', 'first', 'up')).map(([name, how]) => {
    if (how === 'low') return name;
    return how === 'up' ? name.toUpperCase() : name.charAt(0).toUpperCase() + name.slice(1);
  });
const namedRange = (names: readonly string[]): fc.Arbitrary<string> =>
  ends(0, names.length - 1).map(([a, b]) => `${names[a]}-${names[b]!.toUpperCase()}`);
