import type { Command } from 'commander';
import type { NextTimes } from '../../commands/routines/next-times.js';
import { sayDuration } from '../../projections/say-duration.js';
import { named, openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { wholeNumber } from '../options.js';

export function addNext(routines: Command): void {
  verb(routines, 'next <routine>', 'when its schedules are due, with what a change of the clocks does to that')
    .option('--count <n>', 'so many of each schedule, 1 to 100; 10 without it', wholeNumber)
    .action((routine: string, { count, ...options }: DoorOptions & { count?: number }) =>
      next(openDoor(options), routine, count),
    );
}

async function next({ client, output }: Door, routine: string, count: number | undefined): Promise<void> {
  const found = await named(client, 'routines', routine, (id) => client.get<NextTimes>(['routines', id, 'next'], { count }));
  if (output.format !== 'table') return output.did(found, '');
  const rows = found.schedules.flatMap(({ times, ...schedule }) => times.map((time) => ({ ...schedule, ...time })));
  output.list({ items: rows }, [
    ['trigger', ({ trigger }) => trigger],
    ['when', ({ local, zone }) => `${local.replace('T', ' ')} ${zone}`],
    ['utc', ({ at }) => at.replace('.000', '')],
    ['late by', ({ offsetSec }) => (offsetSec > 0 ? sayDuration(offsetSec * 1_000) : '')],
    ['clocks', ({ dst }) => dst],
  ]);
  if (found.status !== 'active') output.note(`${found.routine} is ${found.status}: these are not fired`);
}
