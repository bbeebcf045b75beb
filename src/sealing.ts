import type { CommandContext } from './commands/decider.js';
import { sealStore, unsealStore } from './commands/operations/store.js';
import type { SealedLog } from './events/operations.js';
import type { LedgerProcess } from './ledger-process.js';

type Sealable = Pick<LedgerProcess, 'clock' | 'ledger' | 'storedLog'>;

/** What is known of a log that is closed for writes, or was open all the time. */
export interface Sealing {
  readonly log: string;
  readonly sealed: SealedLog | null;
}

/** First it is told, then closed: once it is closed, nothing can be told any more. Cut off in between, it is finished when done again. */
export async function seal(ledger: Sealable, reason: string | undefined, context: CommandContext): Promise<Sealing> {
  await ledger.clock.start();
  const log = await ledger.storedLog.id();
  const { answer } = await ledger.ledger.handle(sealStore, { log, reason }, context);
  await ledger.storedLog.seal();
  return { log, ...answer };
}

/** First it is opened, then that is told. Cut off in between, it is finished when done again. */
export async function unseal(ledger: Sealable, reason: string | undefined, context: CommandContext): Promise<Sealing> {
  await ledger.clock.start();
  const log = await ledger.storedLog.id();
  await ledger.storedLog.unseal();
  const { answer } = await ledger.ledger.handle(unsealStore, { log, reason }, context);
  return { log, ...answer };
}
