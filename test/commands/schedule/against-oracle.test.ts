import { slotsFrom } from '../../../src/commands/schedule/schedule.js';
import type { DstPolicy, Schedule } from '../../../src/events/routine.js';
import { seed } from '../../model/seed.js';
import { seeded } from '../../projections/history.js';
import { drawnCrons } from './crons.js';
import { daysThatFit, slotsByHand } from './oracle.js';
import { lastYear, release, zonePieces, type Piece } from './zone-changes.js';

const day = 24 * 60 * 60 * 1_000;
const policies: readonly DstPolicy[] = [
  { gap: 'shift', overlap: 'once' },
  { gap: 'shift', overlap: 'twice' },
  { gap: 'skip', overlap: 'once' },
  { gap: 'skip', overlap: 'twice' },
];
const clock = { hourCycle: 'h23', dateStyle: 'short', timeStyle: 'medium' } as const;
const utcFormat = new Intl.DateTimeFormat('en-US', { ...clock, timeZone: 'UTC' });
const end = Date.UTC(lastYear + 1, 0, 1);
const crons = drawnCrons(1_000, seed);
const zones = [...zonePieces].map(([zone, pieces]) => ({ zone, pieces, until: agreedUntil(zone, pieces) }));
const comparable = zones.filter(({ until }) => until > Date.UTC(1980, 0, 1));

it('knows of the forty zones what the other source knows, as far as both are of one release', () => {
  const differing = zones.flatMap(({ zone, until }) =>
    until === end ? [] : [`${zone} from ${new Date(until).toISOString()} on`],
  );
  if (differing.length > 0)
    console.warn(`not compared, ICU has ${process.versions.tz}, the file ${release}: ${differing.join(', ')}`);
  expect(zones).toHaveLength(40);
  expect(differing.length).toBeLessThan(process.versions.tz === release ? 1 : zones.length / 4);
});

describe(`the slots of 1,000 expressions, from 1970 to 2040 (SEED=${seed})`, () => {
  it.each(comparable)('are those that are found by hand around every change of $zone', ({ zone, pieces, until }) => {
    const draw = seeded(seed);
    const changes = pieces.slice(1).filter(({ start }) => start < until - 3 * day);
    const compared = crons.map((cron, n) => {
      const middle = changes[n % changes.length]?.start ?? second(draw(until - 3 * day));
      const schedule = { cron, zone, dst: policies[draw(policies.length)]! };
      const [from, to] = [Math.max(day, middle - 1.5 * day), middle + 1.5 * day];
      const byHand = slotsByHand(cron, pieces, schedule.dst, from, to);
      return { schedule, from, found: slotsWithin(schedule, from, to), byHand };
    });
    expectAlike(compared);
  });

  it('come next after any instant when they are found by hand, years later too', () => {
    const draw = seeded(seed);
    const compared = [...rare, ...crons].map((cron, n) => {
      const { zone, pieces, until } = comparable[n % comparable.length]!;
      const schedule = { cron, zone, dst: policies[draw(policies.length)]! };
      const from = day + draw(until - 2 * day);
      const found =
        slotsFrom(schedule, new Date(from + 1))
          .next()
          .value?.getTime() ?? Infinity;
      return { schedule, from, found: [Math.min(found, until)], byHand: [nextByHand(schedule, pieces, from, until)] };
    });
    expectAlike(compared);
  });
});

/** Those that come once in years: leap days, days that are a certain weekday as well. */
const rare = ['0 0 29 2 *', '30 2 29 feb *', '0 12 29 2 */6', '0 0 */31 2 1', '15 0 31 */2 *', '59 23 31 12 *', '0 3 */30 1 sun'];

interface Compared {
  readonly schedule: Schedule;
  readonly from: number;
  readonly found: readonly number[];
  readonly byHand: readonly number[];
}

function expectAlike(compared: readonly Compared[]): void {
  const wrong = compared.find(({ found, byHand }) => found.join() !== byHand.join());
  const { found, byHand, ...of } = wrong ?? compared[0]!;
  expect({ ...of, slots: inWords(found) }).toEqual({ ...of, slots: inWords(byHand) });
}

const second = (at: number): number => Math.floor(at / 1_000) * 1_000;
const inWords = (slots: readonly number[]): string[] => slots.map((at) => new Date(at).toISOString());

function slotsWithin(schedule: Schedule, from: number, to: number): number[] {
  const slots: number[] = [];
  for (const slot of slotsFrom(schedule, new Date(from))) {
    if (slot.getTime() >= to) break;
    slots.push(slot.getTime());
  }
  return slots;
}

function nextByHand({ cron, dst }: Schedule, pieces: readonly Piece[], after: number, until: number): number {
  for (const midnight of daysThatFit(cron, after - 2 * day, until + 2 * day)) {
    const next = slotsByHand(cron, pieces, dst, Math.max(after + 1, midnight - 2 * day), midnight + 3 * day)[0];
    if (next !== undefined) return Math.min(next, until);
  }
  return until;
}

/** Where ICU, asked for the time of the day instead of for an offset, begins to differ from the pieces. */
function agreedUntil(zone: string, pieces: readonly Piece[]): number {
  const format = new Intl.DateTimeFormat('en-US', { ...clock, timeZone: zone });
  for (const { start, end, offset } of pieces) {
    for (const at of [...instantsWithin(start, end), end - 1_000])
      if (format.format(at) !== utcFormat.format(at + offset)) return start;
  }
  return end;
}

function instantsWithin(start: number, end: number): number[] {
  return Array.from({ length: Math.ceil((end - start) / (20 * day)) }, (_, n) => start + n * 20 * day);
}
