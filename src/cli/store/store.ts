import type { Command } from 'commander';
import { addAdopt } from './adopt.js';
import { addCopy } from './copy.js';
import { addSealing } from './sealing.js';
import { addStatus } from './status.js';

/** Commands that work on logs themselves, without a server; what they need is imported when it is wanted. */
export function addStore(program: Command): void {
  const store = program
    .command('store')
    .description('the log itself: which store keeps it, closing it for writes, moving it to another store')
    .addHelpText('after', moving);
  addStatus(store);
  addCopy(store);
  addSealing(store);
  addAdopt(store);
}

const moving = `
These commands need no server. They find the stores as ledger serve does: DATABASE_URL, EVENT_STORE_URL, LEDGER_HOME.
To move the log to another store: copy (as often as you like, servers may write meanwhile), seal, copy once more, adopt.`;
