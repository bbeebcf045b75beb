import type { Command } from 'commander';
import type { RefoldedStream } from '../../commands/operations/parked.js';
import { positionInWords } from '../../events/positions.js';
import type { ParkedEvent } from '../../projections/projector/parked.js';
import { openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { wholeNumber } from '../options.js';
import { Problem, Usage } from '../problem.js';
import { ofProjection, sent } from './requests.js';
import { sayTime } from '../times.js';

/** `projections parked`. */
export function addParked(projections: Command): void {
  verb(projections, 'parked <projection>', 'streams that it could not fold, and what becomes of them')
    .option('--retry <stream>', 'fold it again, after the fold was mended')
    .option('--skip <stream>', 'leave the event out that it is parked at, for good; needs a reason')
    .option('--reason <reason>', 'kept with the change')
    .option('--read-model <name>', 'instead of the one that is asked')
    .option('--limit <n>', 'streams to be listed, at most 1000', wholeNumber)
    .action((projection: string, options: ParkedOptions) => parked(openDoor(options), projection, options));
}

interface ParkedOptions extends DoorOptions {
  readonly retry?: string;
  readonly skip?: string;
  readonly reason?: string;
  readonly readModel?: string;
  readonly limit?: number;
}

interface Parked {
  readonly readModel: string;
  readonly total: number;
  readonly items: readonly ParkedEvent[];
}

function parked(door: Door, projection: string, options: ParkedOptions): Promise<void> {
  const { retry, skip, reason } = options;
  if (retry !== undefined && skip !== undefined) throw new Usage('give --retry or --skip, not both');
  if (retry !== undefined) return act(door, projection, retry, 'retry', { reason }, options);
  if (skip === undefined) return list(door, projection, options);
  if (!reason) throw new Usage('give --reason: a skipped event is left out for good, and the record says why');
  return skipOne(door, projection, skip, options);
}

async function list({ client, output }: Door, projection: string, { readModel, limit }: ParkedOptions): Promise<void> {
  const found = await client.get<Parked>(ofProjection(projection, 'parked'), { readModel, limit });
  output.list(found, [
    ['stream', ({ stream }) => stream],
    ['since', ({ parkedAt }) => sayTime(parkedAt)],
    ['rev', ({ revision }) => revision],
    ['position', ({ position }) => positionInWords(position)],
    ['event', ({ type }) => type],
    ['data', ({ data }) => cut(JSON.stringify(data))],
    ['error', ({ error }) => error, 'wrapped'],
  ]);
  if (found.total > found.items.length) output.note(`${found.total} are parked; --limit, up to 1000, lists more of them`);
}

const cut = (text = ''): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** The event that it is parked at now is the one that is meant, and no other that takes its place meanwhile. */
async function skipOne(door: Door, projection: string, stream: string, options: ParkedOptions): Promise<void> {
  const { readModel, reason } = options;
  const { items, readModel: of } = await door.client.get<Parked>(ofProjection(projection, 'parked'), { readModel, stream });
  const [found] = items;
  if (!found) throw new Problem(404, { detail: `${of} has no parked stream ${stream}` });
  await act(door, projection, stream, 'skip', { reason, eventId: found.eventId }, options);
}

async function act(
  { client, output }: Door,
  projection: string,
  stream: string,
  step: 'retry' | 'skip',
  body: object,
  { readModel }: ParkedOptions,
): Promise<void> {
  const query = readModel === undefined ? '' : `?readModel=${encodeURIComponent(readModel)}`;
  const { body: done } = await sent<RefoldedStream>(client, `${ofProjection(projection, 'parked', stream, step)}${query}`, body);
  output.did(done, `${stream} ${said(done)}${still(done)}`);
}

const said = ({ events, skipped }: RefoldedStream): string =>
  skipped === undefined
    ? `is folded again: ${events} ${events === 1 ? 'event' : 'events'}`
    : `goes on without the event at position ${Number(skipped)}`;

const still = ({ parked: at }: RefoldedStream): string =>
  at ? `; and is parked anew at position ${positionInWords(at.position)}: ${at.error}` : '';
