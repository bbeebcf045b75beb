import type { Command } from 'commander';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';
import { Ended, exitCodes } from './problem.js';
import { plain } from './table.js';

export function addDoctor(program: Command): void {
  verb(program, 'doctor', 'checks a running ledger: schema, read models, leases, settings that could lose data')
    .addHelpText('after', '\nExit code 0: all is well; 1: a check failed; 7: a read model has drifted from its events.')
    .action((options: DoorOptions) => doctor(openDoor(options)));
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly sentence: string;
  readonly remedy?: string;
  /** a read model that is not what its events say */
  readonly drift?: boolean;
}

async function doctor({ client, output }: Door): Promise<void> {
  const report = await client.get<{ checks: readonly Check[] }>('/v1/doctor');
  output.did(report, report.checks.map(lineOf).join('\n'));
  const failed = report.checks.filter(({ ok }) => !ok);
  if (failed.some(({ drift }) => drift)) throw new Ended(exitCodes.drift);
  if (failed.length > 0) throw new Ended(exitCodes.failure);
}

const lineOf = ({ name, ok, sentence, remedy }: Check): string =>
  `${ok ? '✓' : '✗'} ${name}: ${plain(sentence)}${!ok && remedy ? `\n  → ${plain(remedy)}` : ''}`;
