import type { Command } from 'commander';
import { clientConfig } from '../../config.js';
import type { Copied, CopyProgress } from '../../event-store/copy/copy-log.js';
import type { OpenLog } from '../../open-log.js';
import { count } from '../count.js';
import { Output } from '../output.js';
import { Ended, exitCodes } from '../problem.js';
import { ProgressBar } from '../progress-bar.js';
import { rateOf, withLogs } from './two-logs.js';
import { storeVerb, type StoreOptions } from './verb.js';

interface CopyOptions extends StoreOptions {
  readonly from?: string;
  readonly to: string;
  readonly follow?: boolean;
}

export function addCopy(store: Command): void {
  storeVerb(store, 'copy', 'copies a log into another store, while it is written to; goes on where an earlier copy has ended')
    .option('--from <url>', 'the log to copy; without it, the one that the environment names')
    .requiredOption('--to <url>', 'where to copy it: an empty store, or one with an earlier copy of this log')
    .option('--follow', 'go on with what is written meanwhile, until the log is closed for writes (ledger store seal)')
    .addHelpText('after', help)
    .action(copy);
}

const help = `
URLs: postgres://user:password@host:port/database (a new database gets the ledger's tables), esdb://host:2113,
esdb+discover://host:2113, or the word embedded for the Postgres under LEDGER_HOME.

Each event is read back and compared with the original, also those that an earlier copy has written.
Exit code 0: the target has every event that was there when the copy began (what it says last tells whether that is all
there will be); 7: the target has something else; 75: a store is away, do it again.`;

async function copy({ from, to, follow, output: format }: CopyOptions): Promise<void> {
  const output = new Output(format, clientConfig().color);
  const bar = new ProgressBar(output.color);
  const copied = await endingWell(() =>
    withLogs(from, to, async (source, target) => ({
      from: await namedLog(source),
      to: await namedLog(target),
      ...(await copyShown(source, target, bar, follow ? interrupted() : undefined)),
    })),
  );
  output.did({ ...copied, says: ends[copied.end] }, inWords(copied).join('\n'));
}

const namedLog = async ({ engine, where, log }: OpenLog) => ({ engine, where, log: await log.id() });

async function copyShown(source: OpenLog, target: OpenLog, bar: ProgressBar, follow: AbortSignal | undefined): Promise<Copied> {
  const { copyLog } = await import('../../event-store/copy/copy-log.js');
  const total = { events: 0 };
  const counted = countInto(total, source).catch(() => {});
  const rate = rateOf();
  const progress = ({ phase, done }: CopyProgress) => {
    const known = total.events && Math.max(total.events, done);
    bar.show({ name: 'store copy', phase, progress: { done, total: known, rate: rate(phase, done) } });
  };
  try {
    return await copyLog({ source: source.log, target: target.log, follow, progress });
  } finally {
    bar.end();
    await counted;
  }
}

/** Some stores have to read what they are to count: the copy does not wait for that. */
async function countInto(total: { events: number }, { store, log }: OpenLog): Promise<void> {
  total.events = await store.count({ upTo: await log.head() });
}

/** Ctrl-C ends the following, and what was copied is told. */
function interrupted(): AbortSignal {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  return interrupt.signal;
}

async function endingWell<T>(work: () => Promise<T>): Promise<T> {
  const [{ LogsDiffer }, { StoreUnavailable }] = await Promise.all([
    import('../../event-store/copy/logs-differ.js'),
    import('../../event-store/event-store.js'),
  ]);
  try {
    return await work();
  } catch (error) {
    const exitCode = error instanceof LogsDiffer ? exitCodes.drift : exitCodes.tryAgain;
    if (!(error instanceof LogsDiffer || error instanceof StoreUnavailable)) throw error;
    console.error(error.message);
    throw new Ended(exitCode);
  }
}

function inWords({ end, events, written, streams, digest, to }: Copied & { readonly to: { readonly where: string } }): string[] {
  return [
    `${count(events)} events of ${count(streams)} streams are in ${to.where}, ${count(written)} of them by this copy; each was read back and is as it was`,
    `digest ${digest}`,
    ends[end],
  ];
}

const ends: Record<Copied['end'], string> = {
  complete: 'the log is closed for writes, so the copy is complete; next: ledger store adopt, with the same --from and --to',
  open:
    'the log is open for writes: what is written to it from now on is not in the copy. ' +
    'Next: ledger store seal, then copy once more',
  moved: 'the ledger goes on in the copy already: nothing is left to do here',
};
