import type { Command } from 'commander';
import { pause } from '../../pause.js';
import type { RebuildView } from '../../projections/operations/rebuild-queries.js';
import type { Client } from '../client.js';
import { openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { insist } from '../insist.js';
import { wholeNumber } from '../options.js';
import { Ended, exitCodes } from '../problem.js';
import { ProgressBar } from '../progress-bar.js';
import { tellEnd } from './diff.js';
import { ofProjection, ofRebuild, phaseInWords, reasoned, rebuildNamed, sent, type ReasonOptions } from './requests.js';

/** `projections rebuild`, `verify`, `watch` and `diff`. */
export function addRebuilding(projections: Command): void {
  begun(projections, 'rebuild <projection>', 'build a version anew beside the one that is asked, and compare them')
    .option('--version <n>', 'the version to build; without it, the highest that the server knows', wholeNumber)
    .action((projection: string, options: RebuildOptions) =>
      begin(options, ofProjection(projection, 'rebuilds'), { version: options.version }),
    );

  begun(projections, 'verify <projection>', 'prove that the rows that are asked are what the log folds to').action(
    (projection: string, options: RebuildOptions) => begin(options, ofProjection(projection, 'verify'), {}),
  );

  verb(projections, 'watch <rebuild|projection>', 'look at a rebuild until it is compared').action(
    async (of: string, options: DoorOptions) => {
      const door = openDoor(options);
      await watch(door, (await rebuildNamed(door.client, of, isCompared)).id);
    },
  );

  verb(projections, 'diff <rebuild|projection>', 'what differs between what was built and what is asked')
    .addHelpText('after', drift)
    .action((of: string, options: DoorOptions) => diff(openDoor(options), of));
}

const drift = '\nExit code 0: nothing differs that is not meant to; 7: something does.';

interface RebuildOptions extends ReasonOptions {
  readonly version?: number;
  readonly rate?: number;
  readonly detach?: boolean;
}

const begun = (parent: Command, usage: string, description: string): Command =>
  reasoned(parent, usage, description)
    .option('--rate <n>', 'no more events per second than this', wholeNumber)
    .option('--detach', 'only begin; the server goes on by itself')
    .addHelpText('after', `${drift}\nCtrl-C ends the looking on, not the work.`);

async function begin(options: RebuildOptions, at: `/${string}`, body: object): Promise<void> {
  const door = openDoor(options);
  const { rate: eventsPerSecond, reason } = options;
  const { body: begun } = await sent<{ rebuild: { id: string } }>(door.client, at, {
    ...body,
    eventsPerSecond,
    reason,
  });
  const { id } = begun.rebuild;
  if (options.detach) return door.output.did(begun, `${id} is being built; ${lookAgain(id)}`);
  await watch(door, id);
}

const lookAgain = (id: string): string => `look again with ledger projections watch ${id}`;

async function diff({ client, output }: Door, of: string): Promise<void> {
  const rebuild = await rebuildNamed(client, of, isCompared);
  if (!isCompared(rebuild)) {
    output.note(`${rebuild.id} is not compared yet (${phaseInWords(rebuild)}): ${lookAgain(rebuild.id)}`);
    throw new Ended(exitCodes.tryAgain);
  }
  tellEnd(output, rebuild);
}

const isCompared = ({ comparison }: RebuildView): boolean => comparison !== undefined;

const lookEveryMs = 300;
const patienceMs = 60_000;

/** Shows how far it is until there is nothing left to wait for; a server that is away for less than a minute is waited for. */
async function watch({ client, output }: Door, id: string): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const bar = new ProgressBar(output.color);
  try {
    const rebuild = await untilOver(client, id, bar, interrupted.signal);
    bar.end();
    if (rebuild) tellEnd(output, rebuild);
    else output.note(`the server goes on with ${id}; ${lookAgain(id)}`);
  } finally {
    bar.end();
    process.off('SIGINT', interrupt);
  }
}

/** Undefined when the looking on was ended before. */
async function untilOver(client: Client, id: string, bar: ProgressBar, signal: AbortSignal): Promise<RebuildView | undefined> {
  const ended = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const look = () => insist(() => client.get<RebuildView>(ofRebuild(id)), { forMs: patienceMs, signal });
  while (!signal.aborted) {
    const rebuild = await Promise.race([look(), ended]);
    if (!rebuild || !atWork.includes(rebuild.phase)) return rebuild;
    bar.show({ ...rebuild, name: id });
    await pause(lookEveryMs, signal);
  }
  return undefined;
}

const atWork: readonly string[] = ['filling', 'indexing', 'catching_up', 'comparing'];
