import type { Command } from 'commander';
import { positionInWords } from '../../events/positions.js';
import type { StoreStatus } from '../../store-status.js';
import { count } from '../count.js';
import { Output } from '../output.js';
import { sayTime } from '../times.js';
import { storeVerb, type StoreOptions } from './verb.js';

export function addStatus(store: Command): void {
  storeVerb(store, 'status', 'which store keeps the log, how long it is, and whether it is closed for writes').action(status);
}

type Shown = StoreStatus & { readonly engine: string; readonly where: string };

async function status({ output }: StoreOptions): Promise<void> {
  const [{ withLedger, storeInUse }, { storeStatus }] = await Promise.all([
    import('../../operator.js'),
    import('../../store-status.js'),
  ]);
  const shown: Shown = await withLedger(async (ledger, config) => ({ ...storeInUse(config), ...(await storeStatus(ledger)) }));
  new Output(output, false).one(shown, (of) => [
    ['store', of.engine],
    ['where', of.where],
    ['log', of.log],
    ['events', count(of.events)],
    ['head', positionInWords(of.head)],
    ['writes', writesInWords(of)],
    ['read models', followedInWords(of)],
  ]);
}

function writesInWords({ closed, sealed }: Shown): string {
  if (!closed)
    return sealed
      ? 'open, although it was told that it is closed: ledger store seal or unseal finishes what was cut off'
      : 'open';
  if (!sealed) return 'closed, and nobody has told why: ledger store unseal opens it';
  return `closed since ${sayTime(sealed.sealedAt)} by ${sealed.sealedBy.type}:${sealed.sealedBy.id}: ${sealed.reason}`;
}

function followedInWords({ log, followed }: Shown): string {
  if (followed === null) return 'belong to no log yet';
  return followed === log ? 'belong to this log' : `belong to another log, ${followed}: no server starts with this store`;
}
