import type { CommandContext } from './commands/decider.js';
import { sealStore, unsealStore } from './commands/operations/store.js';
import type { SealedLog } from './events/operations.js';
import type { LedgerProcess } from './ledger-process.js';
import { followedLog } from './projections/moving/untold.js';

type Sealable = Pick<LedgerProcess, 'clock' | 'ledger' | 'reads' | 'storedLog'>;

/** What is known of a log that is closed for writes, or was open all the time. */
export interface Sealing {
  readonly log: string;
  readonly sealed: SealedLog | null;
  /** the log that the ledger goes on in, when it is not this one: this one is left as a copy of it may go on from, and nothing is told in it */
  readonly followed?: string;
}

/** First it is told, then closed: once it is closed, nothing can be told any more. Cut off in between, it is finished when done again. */
export async function seal(ledger: Sealable, reason: string | undefined, context: CommandContext): Promise<Sealing> {
  const left = await leftLog(ledger);
  const sealing = left ?? (await tell(ledger, sealStore, reason, context));
  await ledger.storedLog.seal();
  return sealing;
}

/** First it is opened, then that is told. Cut off in between, it is finished when done again. */
export async function unseal(ledger: Sealable, reason: string | undefined, context: CommandContext): Promise<Sealing> {
  await ledger.storedLog.unseal();
  return (await leftLog(ledger)) ?? tell(ledger, unsealStore, reason, context);
}

async function tell(
  ledger: Sealable,
  kind: typeof sealStore | typeof unsealStore,
  reason: string | undefined,
  context: CommandContext,
): Promise<Sealing> {
  await ledger.clock.start();
  const log = await ledger.storedLog.id();
  const { answer } = await ledger.ledger.handle(kind, { log, reason }, context);
  return { log, ...answer };
}

/** One that the ledger has been moved from has to stay the beginning of the one that it was moved to, or nobody could move it back. */
async function leftLog({ reads, storedLog }: Sealable): Promise<Sealing | undefined> {
  const [followed, log] = await Promise.all([followedLog(reads), storedLog.id()]);
  return followed === undefined || followed === log ? undefined : { log, sealed: null, followed };
}
