import type { Command } from 'commander';
import { inOption, type InOptions } from './as-of.js';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';

export function addDashboard(program: Command): void {
  inOption(verb(program, 'dashboard', 'how a company stands, in numbers')).action((options: DoorOptions & InOptions) =>
    dashboard(openDoor(options), options),
  );
}

async function dashboard({ client, output }: Door, { in: schema }: InOptions): Promise<void> {
  output.one(await client.get<object>(['dashboard'], { in: schema }), (counters) => fieldsOf(counters));
}

type Field = readonly [string, string | number];

/** Every counter by its path: `runs.failed  3`. A list is shown by its newest rows, one line each. */
function fieldsOf(value: object, path = ''): Field[] {
  return Object.entries(value).flatMap(([name, part]: [string, unknown]): Field[] => {
    const at = path ? `${path}.${name}` : name;
    if (Array.isArray(part)) return part.filter(hasHappened).map((row: unknown) => [at, rowOf(row)]);
    if (typeof part === 'object' && part !== null) return fieldsOf(part, at);
    return part === null || part === undefined ? [] : [[at, String(part)]];
  });
}

/** A day on which nothing ran is not worth a line. */
const hasHappened = (row: unknown): boolean =>
  typeof row !== 'object' || row === null || Object.values(row).some((value) => typeof value === 'number' && value > 0);

const rowOf = (row: unknown): string =>
  typeof row === 'object' && row !== null
    ? Object.entries(row)
        .map(([name, value]) => (typeof value === 'number' ? `${value} ${name}` : String(value)))
        .join('  ')
    : String(row);
