import fc from 'fast-check';
import { readNotBefore, readRetryAfter } from '../../src/commands/retry-after.js';

const now = new Date('2026-04-20T12:00:00.000Z');

describe('the Retry-After reader', () => {
  it.each([
    ['120', '2026-04-20T12:02:00.000Z'],
    ['0', '2026-04-20T12:00:00.000Z'],
    [' 5 ', '2026-04-20T12:00:05.000Z'],
    ['2026', '2026-04-20T12:33:46.000Z'],
    ['1.5', '2026-04-20T12:00:01.500Z'],
    ['Retry-After: 120', '2026-04-20T12:02:00.000Z'],
    ['retry-after:120', '2026-04-20T12:02:00.000Z'],
    ['20s', '2026-04-20T12:00:20.000Z'],
    ['5m', '2026-04-20T12:05:00.000Z'],
    ['Mon, 20 Apr 2026 12:30:00 GMT', '2026-04-20T12:30:00.000Z'],
    ['Monday, 20-Apr-26 12:30:00 GMT', '2026-04-20T12:30:00.000Z'],
    ['Mon Apr 20 12:30:00 2026', '2026-04-20T12:30:00.000Z'],
    ['Fri May  1 12:30:00 2026', '2026-05-01T12:30:00.000Z'],
    ['2026-04-20T14:00:00Z', '2026-04-20T14:00:00.000Z'],
    ['2026-04-20T14:00:00.25+01:00', '2026-04-20T13:00:00.250Z'],
    ['retry after 20 seconds', '2026-04-20T12:00:20.000Z'],
    ['resets 4pm (America/Chicago)', '2026-04-20T21:00:00.000Z'],
  ])('reads %j', (value, time) => expect(readRetryAfter(value, now)).toBe(time));

  it.each([
    ['nothing', ''],
    ['words', 'soon'],
    ['a negative number', '-5'],
    ['a negative time', 'retry after -5 seconds'],
    ['an exponent', '1e3'],
    ['a number too long', '9'.repeat(400)],
    ['a delay of centuries', '99999999999'],
    ['a date in the past', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['a year of two digits in the past', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['an asctime in the past', 'Sun Nov  6 08:49:37 1994'],
    ['the year 120', '0120-01-01T00:00:00Z'],
    ['an ISO time in the past', '2026-04-19T12:00:00Z'],
    ['an ISO time centuries ahead', '2526-04-20T12:00:00Z'],
    ['an HTTP date centuries ahead', 'Fri, 31 Dec 9999 23:59:59 GMT'],
    ['a day that April has not', '2026-04-31T12:00:00Z'],
    ['a day that February has not', 'Mon, 30 Feb 2027 12:30:00 GMT'],
    ['an hour that the day has not', 'Tue, 21 Apr 2026 24:30:00 GMT'],
    ['a month that the year has not', 'Tue, 21 Foo 2026 12:30:00 GMT'],
    ['a zone that HTTP has not', 'Tue, 21 Apr 2026 12:30:00 CET'],
  ])('ignores %s', (_, value) => expect(readRetryAfter(value, now)).toBeNull());

  it('never fails, and reads nothing past and nothing beyond the believable', () => {
    const words = [
      'retry after',
      'try again',
      'at',
      'in',
      'resets',
      ':',
      '-',
      '4pm',
      '25:00',
      '120',
      's',
      'h',
      'GMT',
      '(UTC)',
      'Apr 31',
      '2026-04-20T',
    ];
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(fc.constantFrom(...words), fc.nat().map(String))).map((parts) => parts.join(' ')),
    );
    const clock = fc.date({ min: new Date('1971-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(text, clock, (value, at) => {
        for (const time of [readRetryAfter(value, at), readNotBefore(value, at)]) {
          const ahead = time === null ? 0 : Date.parse(time) - at.getTime();
          expect(ahead >= 0 && ahead <= 100 * 366 * 86_400_000).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads back every number of seconds of a year, and every date of the next', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31_536_000 }), (seconds) => {
        const time = new Date(now.getTime() + seconds * 1_000);
        expect(readRetryAfter(String(seconds), now)).toBe(time.toISOString());
        expect(readRetryAfter(time.toUTCString(), now)).toBe(time.toISOString());
        expect(readRetryAfter(time.toISOString(), now)).toBe(time.toISOString());
      }),
    );
  });
});

describe('a not-before in a sentence', () => {
  it.each([
    ['429 rate limited, retry after 5 seconds', '2026-04-20T12:00:05.000Z'],
    ['retry after 20 seconds', '2026-04-20T12:00:20.000Z'],
    ['Please retry after 20.', '2026-04-20T12:00:20.000Z'],
    ['HTTP/1.1 429\nRetry-After: 120\nServer: x', '2026-04-20T12:02:00.000Z'],
    ['{"error":{"retry_after": 30}}', '2026-04-20T12:00:30.000Z'],
    ['{"retryDelay": "34.5s"}', '2026-04-20T12:00:34.500Z'],
    ['try again in 5m', '2026-04-20T12:05:00.000Z'],
    ['Try again in 356ms.', '2026-04-20T12:00:00.356Z'],
    ['please try again in 1h30m', '2026-04-20T13:30:00.000Z'],
    ['try again in about 1 hour and 30 minutes', '2026-04-20T13:30:00.000Z'],
    ['try again in 2 days 3 hours', '2026-04-22T15:00:00.000Z'],
    ['limit resets in 3 hours', '2026-04-20T15:00:00.000Z'],
    ['please wait 30s', '2026-04-20T12:00:30.000Z'],
    ['try again at 3:15 PM (UTC)', '2026-04-20T15:15:00.000Z'],
    ['try again at 3:15 PM', '2026-04-20T15:15:00.000Z'],
    ['try again at 3:15 PM, or upgrade', '2026-04-20T15:15:00.000Z'],
    ['try again at 3:15 p.m. or later', '2026-04-20T15:15:00.000Z'],
    ['resets 4pm (America/Chicago)', '2026-04-20T21:00:00.000Z'],
    ['5-hour limit reached ∙ resets 4pm (America/Chicago)', '2026-04-20T21:00:00.000Z'],
    ['resets at 11:30 am America/New_York', '2026-04-20T15:30:00.000Z'],
    ['resets at 11:30 am EST', '2026-04-20T15:30:00.000Z'],
    ['resets at 16:00 UTC', '2026-04-20T16:00:00.000Z'],
    ['resets 12am (UTC)', '2026-04-21T00:00:00.000Z'],
    ['resets 12pm (UTC)', '2026-04-20T12:00:00.000Z'],
    ['resets Apr 28, 4pm (America/Chicago)', '2026-04-28T21:00:00.000Z'],
    ['try again at Apr 28th, 2026 3:15 PM.', '2026-04-28T15:15:00.000Z'],
    ['resets Jan 9 at 11am', '2027-01-09T11:00:00.000Z'],
    ['try again at 2026-04-20T14:00:00Z', '2026-04-20T14:00:00.000Z'],
    ['retry after Mon, 20 Apr 2026 12:30:00 GMT', '2026-04-20T12:30:00.000Z'],
  ])('is read from %j', (text, time) => expect(readNotBefore(text, now)).toBe(time));

  it.each([
    'it failed',
    'try again later',
    'retry after 3 attempts',
    'resets 4pm (Mars/Olympus)',
    'resets at 13pm',
    'resets at 25:00',
    'resets Apr 31 at 4pm',
    'try again in -5 minutes',
    'retry after 2019-01-01T00:00:00Z',
  ])('is not read from %j', (text) => expect(readNotBefore(text, now)).toBeNull());

  it("takes a time that has passed for tomorrow's", () =>
    expect(readNotBefore('resets 3am (UTC)', now)).toBe('2026-04-21T03:00:00.000Z'));

  it("takes the zone's day for today, not Greenwich's", () =>
    expect(readNotBefore('resets 11pm (America/Los_Angeles)', new Date('2026-04-21T05:00:00Z'))).toBe(
      '2026-04-21T06:00:00.000Z',
    ));

  it.each([
    ['when clocks go forward in between', '2026-03-07T22:00:00Z', 'resets 3pm (America/Chicago)', '2026-03-08T20:00:00.000Z'],
    ['when clocks go back in between', '2026-10-31T21:00:00Z', 'resets 3pm (America/Chicago)', '2026-11-01T21:00:00.000Z'],
    [
      'when it is skipped, by as much later',
      '2026-03-08T06:30:00Z',
      'resets 2:30am (America/Chicago)',
      '2026-03-08T08:30:00.000Z',
    ],
    [
      'when it comes twice, the first time',
      '2026-11-01T05:30:00Z',
      'resets 1:30am (America/Chicago)',
      '2026-11-01T06:30:00.000Z',
    ],
  ])('keeps to the local clock %s', (_, at, text, time) => expect(readNotBefore(text, new Date(at))).toBe(time));
});
