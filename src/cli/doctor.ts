import type { Command } from 'commander';
import type { Check } from '../doctor.js';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';
import { Ended, exitCodes } from './problem.js';
import { plain } from './table.js';

export function addDoctor(program: Command): void {
  verb(program, 'doctor', 'checks a running ledger: schema, read models, leases, settings that could lose data')
    .addHelpText('after', '\nExit code 0: all is well; 1: a check failed.')
    .action((options: DoorOptions) => doctor(openDoor(options)));
}

async function doctor({ client, output }: Door): Promise<void> {
  const report = await client.get<{ checks: readonly Check[] }>('/v1/doctor');
  output.did(report, report.checks.map(lineOf).join('\n'));
  if (report.checks.some(({ ok }) => !ok)) throw new Ended(exitCodes.failure);
}

const lineOf = ({ name, ok, sentence, remedy }: Check): string =>
  `${ok ? '✓' : '✗'} ${name}: ${plain(sentence)}${!ok && remedy ? `\n  → ${plain(remedy)}` : ''}`;
