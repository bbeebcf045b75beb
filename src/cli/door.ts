import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { clientConfig } from '../config.js';
import type { Page } from '../projections/paging.js';
import { Client, type Answer } from './client.js';
import { Output, formats, type Format } from './output.js';
import { insist } from './insist.js';
import { Problem, Unanswered } from './problem.js';

/** What every verb works with: the ledger over HTTP, and a place for what it says. */
export interface Door {
  readonly client: Client;
  readonly output: Output;
  /** of the ledger's own files on this machine */
  readonly home: string;
}

/** A subcommand with the options that all of them have. */
export function verb(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .addOption(new Option('-o, --output <format>', 'table on a terminal, json otherwise').choices(formats))
    .option('--company <company>', 'instead of LEDGER_COMPANY');
}

export interface DoorOptions {
  readonly output?: Format;
  readonly company?: string;
}

export function openDoor({ output, company }: DoorOptions): Door {
  const { url, company: usual, token, home, color, agent } = clientConfig();
  const actor = agent ? `agent:${agent}` : `user:${person()}`;
  return {
    client: new Client({ url, token, actor, company: company ?? usual }),
    output: new Output(output, color),
    home,
  };
}

const lists = ['agents', 'tasks', 'runs', 'wakeups', 'routines'] as const;
type List = (typeof lists)[number];

/**
 * Sends a command, again for up to ten seconds while its outcome is unknown; the one key makes that harmless. Where nobody listens, that
 * is said at once. Resolves when the lists show what it did, so that the next line of a script sees it.
 */
export async function surely<T>(client: Client, work: (key: string) => Promise<Answer<T>>): Promise<Answer<T>> {
  const key = randomUUID();
  const isHopeless = (error: Error) => error instanceof Unanswered && error.refused;
  const answer = await insist(() => work(key), { forMs: 10_000, isHopeless });
  // The command is done; a list that is far behind is no reason to say otherwise.
  await Promise.allSettled(lists.map((list) => client.get([list], { limit: 1 }, { minPosition: answer.position })));
  return answer;
}

/** What is there before a PUT of the whole of it, with its ETag; neither where there is nothing yet. */
export async function asItIs<T>(client: Client, path: readonly string[]): Promise<{ before?: T; etag?: string }> {
  try {
    const { body, etag } = await client.read<T>(path);
    return { before: body, etag };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return {};
    throw error;
  }
}

const searched = 1_000;

/**
 * Does something with the thing of that id or, where there is none, with the only one whose id begins so.
 * Several that do are a refusal that names them.
 */
export async function named<T>(client: Client, list: List, id: string, work: (id: string) => Promise<T>): Promise<T> {
  try {
    return await work(id);
  } catch (error) {
    // An id that is not even of the right form may still be the beginning of one.
    if (!(error instanceof Problem) || ![400, 404].includes(error.status) || error.code === 'not_yet') throw error;
    const whole = await onlyOneBeginning(client, list, id);
    if (!whole) throw error;
    return work(whole);
  }
}

/**
 * Sends a command about the thing of that id, or about the only one whose id begins so; `id` of the answer is the whole one.
 * The path is `runs/ACME-12.1/cancel` for the step `cancel`.
 */
export function act<T>(
  { client }: Door,
  list: List,
  id: string,
  step: string,
  body: object = {},
): Promise<{ id: string; body: T }> {
  return named(client, list, id, async (whole) => {
    const { body: answer } = await surely(client, (key) => client.post<T>([list, whole, step], body, { key }));
    return { id: whole, body: answer };
  });
}

async function onlyOneBeginning(client: Client, list: string, prefix: string): Promise<string | undefined> {
  const { items, next } = await client.get<Page<{ id: string }>>([list], { limit: searched });
  const found = items.map(({ id }) => id).filter((id) => id.startsWith(prefix) && id !== prefix);
  if (found.length > 1) {
    throw new Problem(404, {
      detail: `"${prefix}" is the beginning of ${found.slice(0, 5).join(', ')}${found.length > 5 ? ' …' : ''}: give more of it`,
    });
  }
  // What lies beyond the page may begin so as well.
  return next ? undefined : found[0];
}

/** As the server takes names of actors: a slug. */
function person(): string {
  const name = loginName().replaceAll(/[^A-Za-z0-9_-]/g, '-');
  return name.replace(/^[_-]+/, '').slice(0, 64) || 'someone';
}

/** A process may run as a user that the system has no name for. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
