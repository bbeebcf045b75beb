import {
  agentStream,
  beginning,
  companyStream,
  routineOfTask,
  routineStream,
  taskStream,
  type AgentId,
  type JsonObject,
  type Position,
  type Recorded,
  type RoutineId,
  type RunId,
  type StreamId,
  type TaskId,
} from '../../events/event.js';
import { isPosition } from '../../events/positions.js';
import type { EventStore } from '../../event-store/event-store.js';
import { beginningOf, NotYet, runThing, taskThing, type Thing } from '../as-of/not-yet.js';
import { streamUpTo } from '../as-of/stream-up-to.js';
import { cursorAt, InvalidCursor, keyIn, limitOf, type Page, type PageRequest } from '../paging.js';
import { story } from '../story.js';
import { causeOf, followsFromEvent, type Cause } from './cause.js';
import { carriedBy, concerning, runIn } from './concerns.js';
import { eventsIn } from './elsewhere.js';
import { LaneStory, type Fact, type Step } from './lane-story.js';
import { heldMeanwhile } from './meanwhile.js';
import type { Difference } from './state-diff.js';

/** An event as it is recorded, with what it says to a person, what led to it, and what it changed. */
export interface ReplayedEvent extends Recorded {
  readonly sentence: string;
  /** as whoever caused it gave it */
  readonly reason?: string;
  readonly cause: Cause;
  readonly changes: readonly Difference[];
  /** it is no event of the task, but held or released its company or one of its agents while the story went on */
  readonly meanwhile?: true;
}

/** Oldest first. */
export interface Replay extends Page<ReplayedEvent> {
  /** on the last page: what the changes have come to, those of `meanwhile` aside */
  readonly state?: JsonObject;
}

/** The story of a task or a run up to a position, from the log alone. */
export class ReplayQueries {
  constructor(private readonly store: EventStore) {}

  /** @throws NotYet, InvalidCursor */
  async task(company: string, task: TaskId, page: PageRequest, at: Position): Promise<Replay | undefined> {
    const begun = await this.beginning(taskThing(company, task), at);
    return begun && this.replay({ company, task, at, tells: () => true, shows: (state) => state }, windowOf(page));
  }

  /** Of the run itself, the demands that it carries, and the runs that retry it or take its place. @throws NotYet, InvalidCursor */
  async run(company: string, run: RunId, page: PageRequest, at: Position): Promise<Replay | undefined> {
    const thing = runThing(company, run);
    const begun = await this.beginning(thing, at);
    if (!begun) return undefined;
    const tells = concerning(run, carriedBy(begun));
    return this.replay({ company, task: begun.subject, run, at, tells, shows: runIn(run) }, windowOf(page));
  }

  private async beginning(thing: Thing, at: Position): Promise<Fact | undefined> {
    const first = await beginningOf(this.store, thing);
    if (first && first.position > at) throw new NotYet(thing.name, at, first);
    return first;
  }

  private async replay(asked: Asked, window: Window): Promise<Replay> {
    const own = await this.ownSteps(asked, window);
    const steps = [...own.steps, ...(await this.meanwhile(asked, window, own))].toSorted(inOrder);
    const shown = steps.slice(0, window.limit);
    const items = await this.replayed(asked, shown, own);
    const last = items.at(-1);
    return steps.length > window.limit && last
      ? { items, next: cursorAt('replay', [last.position]) }
      : { items, state: asked.shows(own.lane.state) };
  }

  /** One more than the page has room for, if there are so many. Agents are looked for to the end: one may have been held before. */
  private async ownSteps({ company, task, at, tells }: Asked, { after, limit }: Window): Promise<Own> {
    const own = { lane: new LaneStory(), steps: [] as Step[], agents: new Set<AgentId>(), since: beginning };
    for await (const events of streamUpTo(this.store, taskStream(company, task), at))
      for (const event of events) {
        const step = own.steps.length > limit ? undefined : own.lane.tell(event);
        if (!tells(event)) continue;
        if (own.since === beginning) own.since = event.position;
        for (const agent of agentsIn(event)) own.agents.add(agent);
        if (step && event.position > after) own.steps.push(step);
      }
    return own;
  }

  /** Up to the end of what it shows; and on, where something waits for what comes. */
  private async meanwhile({ company, run, at }: Asked, { after, limit }: Window, own: Own): Promise<Step[]> {
    const { agents, steps, since, lane } = own;
    const last = steps.at(-1)?.event.position ?? beginning;
    const goesOn = steps.length <= limit && lane.isOpen(run);
    const held = await heldMeanwhile(this.store, company, [...agents].slice(0, mostAgents), at);
    return held.filter(({ event: { position } }) => position > since && position > after && (goesOn || position < last));
  }

  private async replayed(asked: Asked, steps: readonly Step[], own: Own): Promise<ReplayedEvent[]> {
    const causes = await this.causesOf(asked, steps, own);
    const stream = taskStream(asked.company, asked.task);
    return steps.map(({ event, first, changes }) => ({
      ...event,
      sentence: story(event),
      ...reasonIn(event),
      cause: causeOf(event, first, causes.get(event.metadata.causationId)),
      changes,
      ...(event.stream !== stream && { meanwhile: true as const }),
    }));
  }

  /** What policies have reacted to is on the task itself, its agents, its company, its routine, or on the tasks around it. */
  private causesOf({ company, task, at }: Asked, steps: readonly Step[], { agents, lane }: Own): Promise<Map<string, Fact>> {
    const led = steps.map(({ event }) => event).filter(followsFromEvent);
    const tasks = [task, ...lane.others, ...steps.flatMap(({ event }) => childrenIn(event))].slice(0, mostTasks);
    const streams = new Set<StreamId>([
      ...tasks.map((name) => taskStream(company, name)),
      ...[...agents].slice(0, mostAgents).map((agent) => agentStream(company, agent)),
      companyStream(company),
      ...routinesOf(task).map((routine) => routineStream(company, routine)),
    ]);
    return eventsIn(this.store, streams, new Set(led.map(({ metadata }) => metadata.causationId)), at);
  }
}

interface Asked {
  readonly company: string;
  readonly task: TaskId;
  /** only this one, of the task's */
  readonly run?: RunId;
  readonly at: Position;
  readonly tells: (event: Recorded) => boolean;
  readonly shows: (state: JsonObject) => JsonObject;
}

/** The part of a story that one page is. */
interface Window {
  readonly after: Position;
  readonly limit: number;
}

interface Own {
  readonly lane: LaneStory;
  readonly steps: readonly Step[];
  /** whoever a demand, a run or the task was given to, in the order in which they are named */
  readonly agents: ReadonlySet<AgentId>;
  /** where the story begins */
  readonly since: Position;
}

function routinesOf(task: TaskId): RoutineId[] {
  const routine = routineOfTask(task);
  return routine === undefined ? [] : [routine];
}

const [mostAgents, mostTasks] = [20, 50];
const limits = { otherwise: 1_000, most: 10_000 };

function windowOf(page: PageRequest): Window {
  const [after = beginning] = page.cursor === undefined ? [] : keyIn('replay', 1, page.cursor);
  if (page.cursor !== undefined && !isPosition(after)) throw new InvalidCursor(page.cursor);
  return { after, limit: limitOf(page, limits) };
}

const inOrder = (a: Step, b: Step): number => (a.event.position < b.event.position ? -1 : 1);

function agentsIn({ data }: Recorded): AgentId[] {
  const { agent, assignee }: { readonly agent?: unknown; readonly assignee?: unknown } = data;
  return [agent, assignee].filter((name) => typeof name === 'string');
}

/** The tasks whose closing a demand tells of. */
function childrenIn(event: Fact): TaskId[] {
  if (event.type !== 'WakeupRequested' || !Array.isArray(event.data.payload.children)) return [];
  return event.data.payload.children.flatMap((child) =>
    typeof child === 'object' && child !== null && 'task' in child && typeof child.task === 'string' ? [child.task] : [],
  );
}

function reasonIn({ data }: Recorded): Pick<ReplayedEvent, 'reason'> {
  const { reason }: { readonly reason?: unknown } = data;
  return typeof reason === 'string' ? { reason } : {};
}
