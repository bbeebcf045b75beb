import type { Command } from 'commander';
import type { Adopted } from '../../adoption.js';
import { clientConfig } from '../../config.js';
import type { OpenLog } from '../../open-log.js';
import type { ReadModelDiffers } from '../../projections/moving/staging.js';
import { count } from '../count.js';
import { Output } from '../output.js';
import { Ended, exitCodes } from '../problem.js';
import { tellComparison } from '../projections/diff.js';
import { ProgressBar } from '../progress-bar.js';
import { rateOf, withLogs } from './two-logs.js';
import { storeVerb, type StoreOptions } from './verb.js';

interface AdoptOptions extends StoreOptions {
  readonly from?: string;
  readonly to: string;
  readonly reason?: string;
}

export function addAdopt(store: Command): void {
  storeVerb(store, 'adopt', 'lets the ledger go on in a complete copy of its log, proven to say the same')
    .option('--from <url>', 'the log that was copied, and is closed for writes; without it, the one that the environment names')
    .requiredOption('--to <url>', 'its copy')
    .option('--reason <text>', 'why; kept in the log')
    .addHelpText('after', help)
    .action(adoptCopy);
}

const help = `
The database with the read models is that of DATABASE_URL, or the embedded one. Each read model is folded anew from the copy
and compared row by row with what is asked; nothing changes before all of them agree. Cut off, it is to be run again.
Before the log is closed, it says what would stand in the way.
Exit code 0: the ledger is moved; 5: something stands in the way, and is said; 7: the copy does not say the same, and nothing
was changed; 75: a store is away, do it again.`;

async function adoptCopy({ from, to, reason, output: format }: AdoptOptions): Promise<void> {
  const output = new Output(format, clientConfig().color);
  const adopted = await endingWell(output, () =>
    withLogs(from, to, async (source, target) => ({
      ...(await adoptShown(source, target, reason, new ProgressBar(output.color))),
      store: { engine: target.engine, where: target.where },
    })),
  );
  output.did(adopted, inWords(adopted).join('\n'));
}

async function adoptShown(from: OpenLog, to: OpenLog, reason: string | undefined, bar: ProgressBar): Promise<Adopted> {
  const [{ adopt }, { byOperator, withReadModels }, { projectionsOfTheLedger: projections }] = await Promise.all([
    import('../../adoption.js'),
    import('../../operator.js'),
    import('../../projections/all.js'),
  ]);
  const rate = rateOf();
  const moved = ({ name, phase, done, total }: Moving) => {
    // Phases are short and many: away from a terminal, none is worth a line of its own.
    const doing = `${name} ${phase.replaceAll('_', ' ')}`;
    bar.show({ name: doing, progress: { done, total, rate: rate(doing, done) } });
  };
  const { actor } = byOperator();
  const { signal } = new AbortController();
  return withReadModels((db) => adopt({ db, from, to, projections, actor, reason, signal, moved }).finally(() => bar.end()));
}

interface Moving {
  readonly name: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** What can be answered to is said; anything else is an error of its own. */
async function endingWell<T>(output: Output, work: () => Promise<T>): Promise<T> {
  const [{ MoveRefused }, { ReadModelDiffers }, { LogsDiffer }, { StoreUnavailable }] = await Promise.all([
    import('../../projections/moving/move-read-models.js'),
    import('../../projections/moving/staging.js'),
    import('../../event-store/copy/logs-differ.js'),
    import('../../event-store/event-store.js'),
  ]);
  const ends = [
    { of: MoveRefused, exitCode: exitCodes.refused },
    { of: ReadModelDiffers, exitCode: exitCodes.drift },
    { of: LogsDiffer, exitCode: exitCodes.drift },
    { of: StoreUnavailable, exitCode: exitCodes.tryAgain },
  ];
  try {
    return await work();
  } catch (error) {
    const end = ends.find(({ of }) => error instanceof of);
    if (!end || !(error instanceof Error)) throw error;
    if (error instanceof ReadModelDiffers) tellDifferences(output, error);
    console.error(error.message);
    throw new Ended(end.exitCode);
  }
}

function tellDifferences(output: Output, { readModel, comparison }: Pick<ReadModelDiffers, 'readModel' | 'comparison'>): void {
  if (output.format === 'table') tellComparison(output, { beside: readModel, id: 'the copy' }, comparison);
  else output.did({ readModel, comparison }, '');
}

type Shown = Adopted & { readonly store: Pick<OpenLog, 'engine' | 'where'> };

function inWords({ to, events, digest, readModels, store, again }: Shown): string[] {
  const restart = store.engine === 'EventStoreDB' ? `with EVENT_STORE_URL=${store.where}` : 'without EVENT_STORE_URL';
  return [
    `the ledger goes on in ${store.where} (log ${to})${again ? ', as it did already' : ''}: ${count(events)} events, digest ${digest}`,
    `${count(Object.keys(readModels).length)} read models were built anew from it, and say what they said before`,
    `next: restart the servers ${restart}; those that still run with the old store end by themselves`,
  ];
}
