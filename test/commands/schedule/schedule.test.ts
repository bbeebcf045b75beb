import { refuseUnfit, slotsFrom, upcoming, usualDst } from '../../../src/commands/schedule/schedule.js';
import type { DstPolicy } from '../../../src/events/routine.js';

const usual: DstPolicy = { gap: 'shift', overlap: 'once' };
const everything: DstPolicy = { gap: 'shift', overlap: 'twice' };
const of = (cron: string, zone = 'UTC', dst = usual) => ({ cron, zone, dst });
const next = (cron: string, after: string, zone?: string, dst?: DstPolicy): string | undefined =>
  upcoming(of(cron, zone, dst), new Date(after), 1)[0]?.at;

/** The next slots as a person in the zone sees them. */
const local = (cron: string, zone: string, after: string, count: number, dst?: DstPolicy): string[] =>
  upcoming(of(cron, zone, dst), new Date(after), count).map((slot) => (slot.dst ? `${slot.local} ${slot.dst}` : slot.local));

describe('the next slot', () => {
  it('[B] #7529: is the midnight of the zone, and not an hour 24', () => {
    expect(next('0 0 * * *', '2026-04-20T12:00:00Z')).toBe('2026-04-21T00:00:00.000Z');
    expect(next('0 0 * * *', '2026-04-20T12:00:00Z', 'Europe/Berlin')).toBe('2026-04-20T22:00:00.000Z');
    expect(next('@daily', '2026-04-20T12:00:00Z', 'America/New_York')).toBe('2026-04-21T04:00:00.000Z');
  });

  it('comes strictly after, to the millisecond', () => {
    expect(next('* * * * *', '2026-04-20T12:00:00.000Z')).toBe('2026-04-20T12:01:00.000Z');
    expect(next('* * * * *', '2026-04-20T11:59:59.999Z')).toBe('2026-04-20T12:00:00.000Z');
  });

  it('is that of a leap day, years later', () => {
    expect(next('0 0 29 2 *', '2026-04-20T12:00:00Z')).toBe('2028-02-29T00:00:00.000Z');
    expect(next('0 0 29 2 *', '2096-03-01T00:00:00Z')).toBe('2104-02-29T00:00:00.000Z');
    expect(next('0 0 29 2 *', '1896-03-01T00:00:00Z', 'Europe/Berlin')).toBe('1904-02-28T23:00:00.000Z');
  });

  it.each([
    ['0 0 29 2 mon', 'either of two days', ['2028-02-07', '2028-02-14', '2028-02-21', '2028-02-28', '2028-02-29']],
    ['0 0 13 * fri', 'either of two days', ['2028-02-04', '2028-02-11', '2028-02-13', '2028-02-18', '2028-02-25']],
    [
      '0 0 */2 * fri',
      'both days, where one starts with a star',
      ['2028-02-11', '2028-02-25', '2028-03-03', '2028-03-17', '2028-03-31'],
    ],
    [
      '0 0 13 * */5',
      'both days, where one starts with a star',
      ['2028-02-13', '2028-08-13', '2028-10-13', '2029-04-13', '2029-05-13'],
    ],
    [
      '0 0 1-31 * mon',
      'each day, because a range is no star',
      ['2028-02-02', '2028-02-03', '2028-02-04', '2028-02-05', '2028-02-06'],
    ],
    ['0 0 * * 0', 'Sunday as 0', ['2028-02-06', '2028-02-13', '2028-02-20', '2028-02-27', '2028-03-05']],
    ['0 0 * * 7', 'Sunday as 7', ['2028-02-06', '2028-02-13', '2028-02-20', '2028-02-27', '2028-03-05']],
    ['0 0 * * Fri-SUN', 'Sunday at the end of a range', ['2028-02-04', '2028-02-05', '2028-02-06', '2028-02-11', '2028-02-12']],
    [
      '0 0 * * sun-mon',
      'Sunday at the beginning of a range',
      ['2028-02-06', '2028-02-07', '2028-02-13', '2028-02-14', '2028-02-20'],
    ],
    ['0 0 1 JAN,jul *', 'months by name', ['2028-07-01', '2029-01-01', '2029-07-01', '2030-01-01', '2030-07-01']],
    ['@weekly', 'a week', ['2028-02-06', '2028-02-13', '2028-02-20', '2028-02-27', '2028-03-05']],
    ['@monthly', 'a month', ['2028-03-01', '2028-04-01', '2028-05-01', '2028-06-01', '2028-07-01']],
    ['@Yearly', 'a year', ['2029-01-01', '2030-01-01', '2031-01-01', '2032-01-01', '2033-01-01']],
    [
      '  0\t0 31  */2 *  ',
      'a step from the first, and any space',
      ['2028-03-31', '2028-05-31', '2028-07-31', '2029-01-31', '2029-03-31'],
    ],
  ])('of %j: %s', (cron, _, days) =>
    expect(upcoming(of(cron), new Date('2028-02-01T00:00:00Z'), 5).map(({ at }) => at.slice(0, 10))).toEqual(days),
  );

  it('is right after a hundred thousand others', () => {
    const [schedule, first] = [of('* * * * *', 'Europe/Berlin'), new Date('2026-01-01T00:00:00Z')];
    let [count, last] = [0, first];
    for (last of slotsFrom(schedule, first)) if (++count === 100_000) break;
    expect(last.toISOString()).toBe('2026-03-11T10:39:00.000Z');
  });
});

describe('slots from an instant on', () => {
  it('begin with it, when it is one', () => {
    const first = new Date('2026-04-20T12:00:00Z');
    expect(slotsFrom(of('0 * * * *'), first).next().value).toEqual(first);
    expect(slotsFrom(of('0 * * * *'), new Date(first.getTime() + 1)).next().value).toEqual(new Date('2026-04-20T13:00:00Z'));
  });

  it('begin with the end of a gap, when that is where they are shifted to', () => {
    const first = new Date('2026-03-29T01:00:00Z');
    expect(slotsFrom(of('30 2 * * *', 'Europe/Berlin'), first).next().value).toEqual(first);
  });

  it('come to an end with the year 2999', () =>
    expect([...slotsFrom(of('0 0 1 1 *'), new Date('2997-06-01T00:00:00Z'))]).toHaveLength(2));
});

describe('an hour that is skipped', () => {
  it('has its slots at the first instant after it', () =>
    expect(local('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-29T03:00:00+02:00 shifted',
      '2026-03-30T02:30:00+02:00',
    ]));

  it('has one slot for all that fall together, that of the first instant included', () =>
    expect(local('0,20,40 2,3 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3)).toEqual([
      '2026-03-29T03:00:00+02:00 shifted',
      '2026-03-29T03:20:00+02:00',
      '2026-03-29T03:40:00+02:00',
    ]));

  it('has none when it is to be skipped', () =>
    expect(local('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 2, { gap: 'skip', overlap: 'once' })).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-30T02:30:00+02:00',
    ]));

  it.each([
    ['midnight, in the Azores', '0 0 * * *', 'Atlantic/Azores', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00+00:00'],
    ['midnight, in Havana', '0 0 * * *', 'America/Havana', '2026-03-07T12:00:00Z', '2026-03-08T01:00:00-04:00'],
    ['half an hour, on Lord Howe', '15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-04T02:30:00+11:00'],
    ['a quarter, in Kathmandu', '0 0 * * *', 'Asia/Kathmandu', '1985-12-31T00:00:00Z', '1986-01-01T00:15:00+05:45'],
    ['two hours, at Troll', '30 1,2 * * *', 'Antarctica/Troll', '2026-03-29T00:00:00Z', '2026-03-29T03:00:00+02:00'],
    ['at a quarter to three, in Chatham', '0 3 * * *', 'Pacific/Chatham', '2026-09-26T00:00:00Z', '2026-09-27T03:45:00+13:45'],
    ['after Ramadan, in Casablanca', '30 2 * * *', 'Africa/Casablanca', '2026-03-21T12:00:00Z', '2026-03-22T03:00:00+01:00'],
    ['after Ramadan, in El Aaiun', '30 2 * * *', 'Africa/El_Aaiun', '2026-03-21T12:00:00Z', '2026-03-22T03:00:00+01:00'],
    [
      'when its standard time begins, in Dublin',
      '30 1 * * *',
      'Europe/Dublin',
      '2026-03-28T12:00:00Z',
      '2026-03-29T02:00:00+01:00',
    ],
    ['a whole day, in Apia', '0 12 30 12 *', 'Pacific/Apia', '2011-06-01T00:00:00Z', '2011-12-31T00:00:00+14:00'],
    ['44 minutes and a half, in Monrovia', '30 0 * * *', 'Africa/Monrovia', '1972-01-06T12:00:00Z', '1972-01-07T00:44:30+00:00'],
  ])('may be %s', (_, cron, zone, after, at) => expect(local(cron, zone, after, 1)).toEqual([`${at} shifted`]));

  it('may be a whole day, of which nothing comes when it is to be skipped', () =>
    expect(local('0 12 30 12 *', 'Pacific/Apia', '2011-06-01T00:00:00Z', 1, { gap: 'skip', overlap: 'once' })).toEqual([
      '2012-12-30T12:00:00+14:00',
    ]));
});

describe('an hour that comes twice', () => {
  it('has its slots in the first of the two', () =>
    expect(local('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T02:30:00+02:00 first of two',
      '2026-10-26T02:30:00+01:00',
    ]));

  it('has them in both when they are to come twice, in the order of time', () =>
    expect(local('0,30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 5, everything)).toEqual([
      '2026-10-25T02:00:00+02:00 first of two',
      '2026-10-25T02:30:00+02:00 first of two',
      '2026-10-25T02:00:00+01:00 second of two',
      '2026-10-25T02:30:00+01:00 second of two',
      '2026-10-26T02:00:00+01:00',
    ]));

  it.each([
    [
      'midnight, in the Azores',
      '0 0 * * *',
      'Atlantic/Azores',
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:00:00',
      '+00:00',
      '-01:00',
    ],
    [
      'half an hour, on Lord Howe',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00:00Z',
      '2026-04-05T01:45:00',
      '+11:00',
      '+10:30',
    ],
    ['two hours, at Troll', '30 1 * * *', 'Antarctica/Troll', '2026-10-24T12:00:00Z', '2026-10-25T01:30:00', '+02:00', '+00:00'],
    [
      'at a quarter to three, in Chatham',
      '0 3 * * *',
      'Pacific/Chatham',
      '2026-04-04T12:00:00Z',
      '2026-04-05T03:00:00',
      '+13:45',
      '+12:45',
    ],
    [
      'before Ramadan, in Casablanca',
      '30 2 * * *',
      'Africa/Casablanca',
      '2026-02-14T12:00:00Z',
      '2026-02-15T02:30:00',
      '+01:00',
      '+00:00',
    ],
    [
      'before Ramadan, in El Aaiun',
      '30 2 * * *',
      'Africa/El_Aaiun',
      '2026-02-14T12:00:00Z',
      '2026-02-15T02:30:00',
      '+01:00',
      '+00:00',
    ],
    [
      'when its winter time begins, in Dublin',
      '30 1 * * *',
      'Europe/Dublin',
      '2026-10-24T12:00:00Z',
      '2026-10-25T01:30:00',
      '+01:00',
      '+00:00',
    ],
    [
      'a whole day, on Kwajalein',
      '0 12 * * *',
      'Pacific/Kwajalein',
      '1969-09-29T12:00:00Z',
      '1969-09-30T12:00:00',
      '+11:00',
      '-12:00',
    ],
  ])('may be %s', (_, cron, zone, after, at, first, second) =>
    expect(local(cron, zone, after, 2, everything)).toEqual([`${at}${first} first of two`, `${at}${second} second of two`]),
  );

  it('may be the last seven of a year, that come again in the next', () => {
    const [cron, zone, after] = ['0 20 * * *', 'America/Cambridge_Bay', '1919-12-31T12:00:00Z'] as const;
    expect(local(cron, zone, after, 2)).toEqual(['1919-12-31T20:00:00+00:00 first of two', '1920-01-01T20:00:00-07:00']);
    expect(local(cron, zone, after, 2, everything)).toEqual([
      '1919-12-31T20:00:00+00:00 first of two',
      '1919-12-31T20:00:00-07:00 second of two',
    ]);
  });
});

describe('where a definition says nothing of daylight saving', () => {
  it('each time of the day comes once', () => {
    expect(usualDst('30 2 * * *')).toEqual({ gap: 'shift', overlap: 'once' });
    expect(usualDst('0 */2 * * *')).toEqual({ gap: 'shift', overlap: 'once' });
  });

  it.each(['*/15 * * * *', '0 * * * mon', '@hourly', '0 */1 * * *'])('%s keeps its rhythm', (cron) => {
    expect(usualDst(cron)).toEqual({ gap: 'skip', overlap: 'twice' });
    for (const start of ['2026-03-23T00:00:00Z', '2026-10-19T00:00:00Z']) {
      const slots = upcoming(of(cron, 'Europe/Berlin', usualDst(cron)), new Date(start), 12).map(({ at }) => Date.parse(at));
      expect(new Set(slots.slice(1).map((at, n) => at - slots[n]!)).size).toBe(1);
    }
  });
});

describe('a schedule that is not fit', () => {
  it.each([
    ['61 * * * *', 'minute 61 is not within 0-59'],
    ['0 24 * * *', 'hour 24 is not within 0-23'],
    ['0 0 0 * *', 'day of the month 0 is not within 1-31'],
    ['0 0 * 13 *', 'month 13 is not within 1-12'],
    ['0 0 * * 8', 'day of the week 8 is not within 0-7'],
    ['0 0 1,32 * *', 'day of the month 32 is not within 1-31'],
    ['0 0 * foo *', 'month foo is not a number, nor one of jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec'],
    ['jan 0 * * *', 'minute jan is not a number'],
    ['1,,2 0 * * *', 'minute 1,,2 has an empty place in its list'],
    ['-1 0 * * *', 'minute -1 is no value, range, list or step'],
    ['1.5 0 * * *', 'minute 1.5 is no value, range, list or step'],
    ['0 22-2 * * *', 'hour 22-2 ends before it begins: write 22-23,0-2'],
    ['0 22-2/2 * * *', 'hour 22-2 ends before it begins'],
    ['0 0 * * sat-mon', 'day of the week sat-mon ends before it begins: write 6-7,0-1'],
    ['0 0 * * sun-SUN', 'day of the week sun-SUN begins where it ends: write sun, or * for each day'],
    ['5/15 * * * *', 'minute 5/15 is a step without a range: write 5-59/15'],
    ['*/0 * * * *', 'minute */0 has a step that is not within 1-60'],
    ['*/90 * * * *', 'minute */90 has a step that is not within 1-60'],
    ['0 0 L * *', 'day of the month L is not a number; L and W are of other dialects of cron, and not taken'],
    ['0 0 15W * *', 'day of the month 15W is not a number; L and W are of other dialects of cron, and not taken'],
    ['0 0 * * 5#3', 'day of the week 5#3 is no value, range, list or step; # is of other dialects of cron, and not taken'],
    ['0 0 ? * *', 'day of the month ? is no value, range, list or step; ? is of other dialects of cron, and not taken'],
    ['0 0 * *', 'it has 4 fields, not five: minute, hour, day of the month, month and day of the week'],
    [
      '0 0 0 * * *',
      'it has 6 fields, not five: minute, hour, day of the month, month and day of the week; seconds and years are not taken',
    ],
    ['', 'it needs five fields: minute, hour, day of the month, month and day of the week'],
    ['@reboot', 'a name is one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually'],
    ['@fortnightly', 'a name is one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually'],
  ])('is refused with what is wrong: %s', (cron, wrong) => {
    const message = `cron is ${JSON.stringify(cron)}: ${wrong}`;
    expect(() => refuseUnfit(of(cron))).toThrow(expect.objectContaining({ code: 'cron_invalid', message }));
    expect(() => slotsFrom(of(cron), new Date(0)).next()).toThrow(message);
  });

  it.each(['0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '0 0 30-31 feb *'])('is refused when it never fires: %s', (cron) => {
    const message = `cron is ${JSON.stringify(cron)}: it never fires, no month that it names has such a day`;
    expect(() => refuseUnfit(of(cron))).toThrow(expect.objectContaining({ code: 'cron_never_fires', message }));
    expect([...slotsFrom(of(cron), new Date(0))]).toEqual([]);
  });

  it.each(['0 0 29 2 *', '0 0 30 2 mon', '0 0 29 2 */3', '0 0 */31 2 1'])('is not what fires once in years: %s', (cron) =>
    expect(() => refuseUnfit(of(cron))).not.toThrow(),
  );

  it.each([
    ['Europe/Berln', 'did you mean Europe/Berlin'],
    ['Berlin', 'did you mean Europe/Berlin?'],
    ['Germany/Berlin', 'did you mean Europe/Berlin?'],
    ['new york', 'did you mean America/New_York?'],
    ['Asia/Kolkatta', 'did you mean Asia/Kolkata'],
    ['PST', 'did you mean America/Los_Angeles?'],
    ['BST', 'did you mean Europe/London?'],
    ['UTC+2', 'did you mean UTC?'],
    ['+02:00', 'write one as Europe/Berlin, or UTC'],
    ['', 'write one as Europe/Berlin, or UTC'],
    ['Mars/Olympus_Mons', 'write one as Europe/Berlin, or UTC'],
  ])('is refused when there is no such zone: %j', (zone, instead) => {
    const message = expect.stringContaining(`zone is ${JSON.stringify(zone)}, which is no IANA time zone: ${instead}`) as string;
    expect(() => refuseUnfit(of('0 0 * * *', zone))).toThrow(expect.objectContaining({ code: 'zone_unknown', message }));
  });

  it('is not one in a zone by its former name, by an alias, or in other letters', () => {
    const after = '2026-04-20T12:00:00Z';
    expect(next('0 9 * * *', after, 'US/Eastern')).toBe(next('0 9 * * *', after, 'America/New_York'));
    expect(next('0 9 * * *', after, 'Asia/Calcutta')).toBe(next('0 9 * * *', after, 'Asia/Kolkata'));
    expect(next('0 9 * * *', after, 'europe/kyiv')).toBe(next('0 9 * * *', after, 'Europe/Kiev'));
    expect(next('0 9 * * *', after, 'EST5EDT')).toBe(next('0 9 * * *', after, 'America/New_York'));
  });
});
