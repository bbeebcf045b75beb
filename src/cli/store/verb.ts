import { Option, type Command } from 'commander';
import { formats, type Format } from '../output.js';

/** Works on the stores that the environment names, as `ledger serve` does: DATABASE_URL, EVENT_STORE_URL, LEDGER_HOME. */
export const storeVerb = (parent: Command, usage: string, description: string): Command =>
  parent
    .command(usage)
    .description(`${description}; works on the store directly`)
    .addOption(new Option('-o, --output <format>', 'table on a terminal, json otherwise').choices(formats));

export interface StoreOptions {
  readonly output?: Format;
}
