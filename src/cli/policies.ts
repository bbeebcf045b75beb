import type { Command } from 'commander';
import type { WaitingReaction } from '../commands/operations/parked-reaction.js';
import { positionInWords } from '../events/positions.js';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';
import { Usage } from './problem.js';
import { sent } from './projections/requests.js';
import { sayTime } from './times.js';

export function addPolicies(program: Command): void {
  const policies = program.command('policies').description('what happens on other streams whenever something happens on one');

  verb(policies, 'parked', 'reactions that could not be carried out, and those that wait behind them')
    .option('--policy <policy>', 'only its')
    .option('--drop <reaction>', 'give it up; needs a reason')
    .option('--reason <reason>', 'kept with the change')
    .action((options: ParkedOptions) => parked(openDoor(options), options));
}

interface ParkedOptions extends DoorOptions {
  readonly policy?: string;
  readonly drop?: string;
  readonly reason?: string;
}

interface Parked {
  readonly items: readonly (WaitingReaction & { readonly parkedAt: string })[];
}

async function parked({ client, output }: Door, { policy, drop, reason }: ParkedOptions): Promise<void> {
  if (drop !== undefined) return dropOne({ client, output }, drop, reason);
  output.list(await client.get<Parked>('/v1/parked-reactions', { policy }), [
    ['reaction', ({ reaction }) => reaction],
    ['policy', (each) => each.policy],
    ['to', ({ stream }) => stream],
    ['because of', ({ position }) => positionInWords(position)],
    ['command', ({ command }) => command],
    ['since', ({ parkedAt }) => sayTime(parkedAt)],
    ['error', ({ error }) => error, 'wrapped'],
  ]);
}

async function dropOne({ client, output }: Pick<Door, 'client' | 'output'>, reaction: string, reason?: string): Promise<void> {
  if (!reason) throw new Usage('give --reason: what is given up is not done, and the record says why');
  const { body } = await sent<object>(client, `/v1/parked-reactions/${encodeURIComponent(reaction)}/drop`, { reason });
  output.did(body, `${reaction} is given up`);
}
