import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metadata, NewEvent, Position, Recorded, StreamId } from '../../src/events/event.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { operatorsAtWork } from './operators.js';
import { routinesAndFires } from './routines.js';
import { commentsAndHolds, runsAndRetries } from './stories.js';

/** An event as a version of the ledger has written it. */
export type Written = NewEvent & {
  readonly position: Position;
  readonly stream: StreamId;
  readonly revision: number;
  readonly metadata: Metadata;
  readonly recordedAt: string;
};

const stories = {
  'runs-and-retries': runsAndRetries,
  'comments-and-holds': commentsAndHolds,
  operators: operatorsAtWork,
  routines: routinesAndFires,
};
export type Story = keyof typeof stories;
export const storyNames = Object.keys(stories) as Story[];

/** What today's ledger writes of it. */
export async function told(story: Story): Promise<Recorded[]> {
  const ledger = new VirtualLedger();
  await stories[story](ledger);
  return ledger.log();
}

/** Whole logs, kept as they were written; a file's name says which version it was, and what it tells. */
export const histories = (): string[] =>
  readdirSync(__dirname).flatMap((file) => (file.endsWith('.jsonl') ? [file.slice(0, -'.jsonl'.length)] : []));

const textOf = (name: string): string => readFileSync(join(__dirname, `${name}.jsonl`), 'utf8');

export const historyOf = (name: string): Written[] =>
  textOf(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Keeps what today's ledger writes. A history that is there already is never written again, nor one that is just like another. */
export async function record(version: string): Promise<void> {
  for (const story of storyNames) {
    const file = join(__dirname, `${version}.${story}.jsonl`);
    const lines = (await told(story)).map(({ company: _, subject: __, ...written }) => JSON.stringify(written));
    const text = `${lines.join('\n')}\n`;
    if (!existsSync(file) && !histories().some((name) => textOf(name) === text)) writeFileSync(file, text);
  }
}

const expectationFile = (history: string): string => join(__dirname, 'expected', `${history}.json`);
export const expectedOf = (history: string): string => readFileSync(expectationFile(history), 'utf8');
export const expectFromNowOn = (history: string, text: string): void => writeFileSync(expectationFile(history), text);
