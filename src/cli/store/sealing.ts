import type { Command } from 'commander';
import type { Sealing } from '../../sealing.js';
import { Output } from '../output.js';
import { sayTime } from '../times.js';
import { storeVerb, type StoreOptions } from './verb.js';

interface ReasonOptions extends StoreOptions {
  readonly reason?: string;
}

export function addSealing(store: Command): void {
  storeVerb(store, 'seal', 'closes the log for writes: servers go on to answer reads, and refuse commands with 503 store_sealed')
    .option('--reason <text>', 'why; kept in the log')
    .action(close);

  storeVerb(store, 'unseal', 'opens the log for writes again').option('--reason <text>', 'why; kept in the log').action(open);
}

async function close({ reason, output }: ReasonOptions): Promise<void> {
  const [{ withLedger, byOperator }, { seal }] = await Promise.all([import('../../operator.js'), import('../../sealing.js')]);
  const sealing = await withLedger((ledger) => seal(ledger, reason, byOperator()));
  new Output(output, false).did(sealing, `${sealedInWords(sealing)}; ledger store unseal opens it again`);
}

async function open({ reason, output }: ReasonOptions): Promise<void> {
  const [{ withLedger, byOperator }, { unseal }] = await Promise.all([import('../../operator.js'), import('../../sealing.js')]);
  const sealing = await withLedger((ledger) => unseal(ledger, reason, byOperator()));
  const out = new Output(output, false);
  out.did(sealing, `log ${sealing.log} is open for writes`);
  if (sealing.followed)
    out.note(
      `the ledger goes on in another log, ${sealing.followed}: whatever is written to this one is lost to it. ` +
        `It is open for ledger store copy from there, and for nothing else`,
    );
}

function sealedInWords({ log, sealed }: Sealing): string {
  if (!sealed) return `log ${log} is closed for writes`;
  const { sealedAt, sealedBy, reason } = sealed;
  return `log ${log} is closed for writes since ${sayTime(sealedAt)} by ${sealedBy.type}:${sealedBy.id}: ${reason}`;
}
