import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { AsOfSchemaView } from '../../projections/side-schemas/as-of-schemas.js';
import type { BuildProgress } from '../../commands/operations/as-of.js';
import { positionInWords } from '../../events/positions.js';
import { pause } from '../../pause.js';
import { asOfQuery } from '../as-of.js';
import type { Client } from '../client.js';
import { openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { insist } from '../insist.js';
import { Problem } from '../problem.js';
import { ProgressBar } from '../progress-bar.js';
import { ofProjection, reasoned, type ReasonOptions } from './requests.js';
import { sayTime } from '../times.js';

/** `projections build` and `projections as-of`. */
export function addAsOf(projections: Command): void {
  reasoned(projections, 'build <projection...>', 'build read models as they were, with what their pages show beside them')
    .requiredOption('--as-of <time|position>', 'an ISO time, or a position of the log')
    .requiredOption('--into <schema>', 'a schema of their own, such as audit_2026_04; --in <schema> asks it')
    .addHelpText('after', '\nCtrl-C ends the looking on, not the work.')
    .action((names: string[], options: BuildOptions) => build(openDoor(options), names, options));

  const asOf = projections.command('as-of').description('schemas of read models as they were');
  verb(asOf, 'list', 'by name').action((options: DoorOptions) => list(openDoor(options)));
  reasoned(asOf, 'drop <schema>', 'drop it, with all that is in it').action((schema: string, options: ReasonOptions) =>
    drop(openDoor(options), schema, options),
  );
}

interface BuildOptions extends ReasonOptions {
  readonly asOf: string;
  readonly into: string;
}

interface Built {
  readonly schema: string;
  readonly position: string;
  readonly projections?: readonly string[];
  readonly progress?: BuildProgress;
}

async function build(
  { client, output }: Door,
  names: readonly string[],
  { into, reason, ...options }: BuildOptions,
): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const bar = new ProgressBar(output.color);
  let built: Built | undefined;
  try {
    for (const name of names) {
      const at = ofProjection(name, 'as-of', into);
      // What a time means is settled by the first answer.
      const when: object = built ? { asOfPosition: built.position } : asOfQuery(options);
      built = await untilBuilt(client, at, { ...when, reason }, bar, interrupted.signal);
      if (built?.progress || !built) return output.note(`the server goes on with ${into}; the same command looks again`);
    }
  } finally {
    bar.end();
    process.off('SIGINT', interrupt);
  }
  if (built)
    output.did(
      built,
      `${into} has ${built.projections?.join(', ')} as of position ${positionInWords(built.position)}: ask it with --in ${into}`,
    );
}

const lookEveryMs = 300;

/** Each request begins the work, or goes on with what another server has left. */
async function untilBuilt(
  client: Client,
  at: `/${string}`,
  body: object,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<Built | undefined> {
  let built: Built | undefined;
  let sent = body;
  while (!signal.aborted) {
    const key = randomUUID();
    built = (await insist(() => client.put<Built>(at, sent, { key }), { forMs: 60_000, signal })).body;
    if (!built.progress) return built;
    sent = { ...body, asOf: undefined, asOfPosition: built.position };
    bar.show({ name: built.schema, phase: `folding ${built.progress.projection}`, paused: false, progress: built.progress });
    await pause(lookEveryMs, signal);
  }
  return built;
}

async function list({ client, output }: Door): Promise<void> {
  output.list(await client.get<{ items: AsOfSchemaView[] }>('/v1/as-of'), [
    ['schema', ({ schema }) => schema],
    ['position', ({ position }) => positionInWords(position)],
    ['built', ({ builtAt }) => sayTime(builtAt)],
    ['MiB', ({ bytes }) => (bytes / 2 ** 20).toFixed(1)],
    ['read models', ({ projections }) => projections.map(({ name }) => name).join(', '), 'wrapped'],
  ]);
}

async function drop({ client, output }: Door, schema: string, { reason }: ReasonOptions): Promise<void> {
  const { items } = await client.get<{ items: AsOfSchemaView[] }>('/v1/as-of');
  const projection = items.find((each) => each.schema === schema)?.projections[0]?.name;
  if (projection === undefined) throw new Problem(404, { detail: `there is no schema ${schema}; there are ${names(items)}` });
  const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
  const { body } = await client.delete<object>(`${ofProjection(projection, 'as-of', schema)}${query}`);
  output.did(body, `${schema} is dropped`);
}

const names = (items: readonly AsOfSchemaView[]): string => items.map(({ schema }) => schema).join(', ') || 'none';
