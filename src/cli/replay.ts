import type { Command } from 'commander';
import { agentStream, companyStream, type AgentId, type Recorded, type StreamId } from '../events/event.js';
import type { Client } from './client.js';
import { named, openDoor, pages, verb, type Door, type DoorOptions } from './door.js';
import { Usage } from './problem.js';
import { storyColumns } from './story.js';

export function addReplay(program: Command): void {
  verb(
    program,
    'replay <task|run>',
    'the whole story of a task or a run: each event, when, by whom, and what it says; and what held its agents meanwhile',
  )
    .option('--at <time|position>', 'as it was then: an ISO time, or a position of the log')
    .option('--json', 'the same as -o json')
    .action((id: string, options: ReplayOptions) => {
      const door = openDoor({ ...options, output: options.output ?? (options.json ? 'json' : undefined) });
      return replay(door, id, until(options.at));
    });
}

interface ReplayOptions extends DoorOptions {
  at?: string;
  json?: boolean;
}

async function replay({ client, output }: Door, id: string, isBefore: (fact: Recorded) => boolean): Promise<void> {
  const kind = isRun(id) ? 'runs' : 'tasks';
  const facts = await named(client, kind, id, async (whole) => {
    const told: Recorded[] = [];
    for await (const fact of pages<Recorded>(client, [kind, whole, 'events'])) {
      if (!isBefore(fact)) break;
      told.push(fact);
    }
    return told;
  });
  const meanwhile = await heldMeanwhile(client, facts);
  output.list({ items: [...facts, ...meanwhile].toSorted(inOrder) }, storyColumns);
}

/** What was paused and resumed while the story went on is no event of the task, and explains much of what is. */
async function heldMeanwhile(client: Client, facts: readonly Recorded[]): Promise<Recorded[]> {
  const [first, last] = [facts[0], facts.at(-1)];
  if (!first || !last) return [];
  const streams = [companyStream(first.company), ...agentsOf(facts).map((agent) => agentStream(first.company, agent))];
  const found = await Promise.all(streams.map((stream) => holdsOn(client, stream)));
  return found.flat().filter(({ position }) => position > first.position && position < last.position);
}

const mostAgents = 20;

/** Every agent that a demand, a run or the task was given to. */
function agentsOf(facts: readonly Recorded[]): AgentId[] {
  const named = facts.flatMap(({ data }) =>
    Object.entries(data).flatMap(([field, value]) => (whose.includes(field) ? [value] : [])),
  );
  return [...new Set(named.filter((agent) => typeof agent === 'string'))].slice(0, mostAgents);
}

const whose: readonly string[] = ['agent', 'assignee'];

async function holdsOn(client: Client, stream: StreamId): Promise<Recorded[]> {
  const holds: Recorded[] = [];
  for await (const fact of pages<Recorded>(client, ['events'], { stream })) if (holding.includes(fact.type)) holds.push(fact);
  return holds;
}

const holding: readonly string[] = ['AgentPaused', 'AgentResumed', 'AgentTerminated', 'CompanyHeld', 'CompanyReleased'];

const inOrder = (a: Recorded, b: Recorded): number => (a.position < b.position ? -1 : 1);

/** `<task>.<n>`; a task has no dot in its name. */
const isRun = (id: string): boolean => id.includes('.');

function until(at: string | undefined): (fact: Recorded) => boolean {
  if (at === undefined) return () => true;
  if (!at.includes('-')) return ({ position }) => Number(position) <= wholePosition(at);
  const time = Date.parse(at);
  if (Number.isNaN(time))
    throw new Usage(`--at ${at} is neither a time nor a position: give an ISO time such as 2026-04-20T12:00:00Z`);
  return ({ recordedAt }) => Date.parse(recordedAt) <= time;
}

function wholePosition(at: string): number {
  if (!/^\d+$/.test(at)) throw new Usage(`--at ${at} is neither a time nor a position: take a position from replay -o json`);
  return Number(at);
}
