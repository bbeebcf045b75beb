import fc from 'fast-check';
import { parseDuration, parseDurations } from '../../src/cli/durations.js';
import { sayDuration } from '../../src/projections/say-duration.js';

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '5 s', '-5s', '5x', '1h-30m', 'soon', '5s!', '1e3s', '∞'])(
    'refuses "%s" and says what would do',
    (text) => expect(() => parseDuration(text)).toThrow(/give a number with its unit/),
  );

  it('refuses what is longer than a year', () => expect(() => parseDuration('9000d')).toThrow('"9000d" is too long'));

  it('reads a list', () => expect(parseDurations('3s, 6s,10s')).toEqual([3_000, 6_000, 10_000]));

  it.each([
    [250, '250ms'],
    [3_000, '3s'],
    [90_000, '1m30s'],
    [7_200_000, '2h'],
    [90_061_000, '1d1h'],
  ])('says %d ms as %s', (ms, said) => expect(sayDuration(ms)).toBe(said));

  it('reads back what it says of whole minutes below a day', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_439 }),
        (minutes) => parseDuration(sayDuration(minutes * 60_000)) === minutes * 60_000,
      ),
    ));
});
