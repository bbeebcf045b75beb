import { nextTimes } from '../../../src/commands/routines/next-times.js';
import { offsetMs } from '../../../src/events/due-slot.js';
import { at } from '../../facts.js';

const daily = {
  id: 'daily',
  kind: 'schedule',
  enabled: true,
  cron: '0 12 * * *',
  zone: 'UTC',
  dst: { gap: 'shift', overlap: 'once' },
} as const;
const spread = { company: 'acme', id: 'nightly', status: 'active', spreadSec: 3_600 } as const;
const offset = offsetMs('acme', 'nightly', 'daily', 3_600);
const justBeforeItIsDue = new Date(at('12:00').getTime() + offset - 1);

function firstTime(nextSlot: string | null, now: Date): string | undefined {
  const { schedules } = nextTimes({ ...spread, triggers: [{ ...daily, nextSlot }] }, now, 2);
  return schedules[0]!.times[0]?.at;
}

const today = at('12:00').toISOString();
const tomorrow = new Date(at('12:00').getTime() + 24 * 60 * 60 * 1_000).toISOString();

describe('the next times of a schedule that is spread', () => {
  it('begin with the slot whose offset is not over', () => {
    expect(offset).toBeGreaterThan(0);
    expect(firstTime(today, justBeforeItIsDue)).toBe(today);
    expect(firstTime(today, new Date(justBeforeItIsDue.getTime() + 1))).toBe(tomorrow);
  });

  it('do not have one that was gone through', () => expect(firstTime(tomorrow, justBeforeItIsDue)).toBe(tomorrow));

  it('are none where no slot is to come', () => expect(firstTime(null, justBeforeItIsDue)).toBeUndefined());
});
