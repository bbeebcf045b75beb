import { routineOfTask, type AgentId, type Recorded, type RoutineId, type RunId, type TaskId } from '../../events/event.js';
import { changesDashboard, topicOf, topics, type Topic } from './topics.js';

/** What a reader asks for. Of several values of one kind one must fit, and every kind that is given. */
export interface Asked {
  readonly company: string;
  /** default all that are of events */
  readonly topics?: readonly Topic[];
  readonly agent?: readonly AgentId[];
  readonly task?: readonly TaskId[];
  readonly run?: readonly RunId[];
  readonly routine?: readonly RoutineId[];
}

/**
 * Decides which events of the log a reader is told. An event concerns an agent or a run when it names it, and a routine when it is the
 * routine's own, or of a task that the routine has opened.
 */
export class StreamFilter {
  readonly company: string;
  readonly topics: ReadonlySet<Topic>;
  private readonly names: readonly ((event: Recorded<Named>) => boolean)[];

  constructor({ company, topics: wanted = eventTopics, agent, task, run, routine }: Asked) {
    this.company = company;
    this.topics = new Set(wanted);
    this.names = [
      ...anyOf(agent, ({ data }) => [data.agent, data.assignee, data.previous, data.order?.agent, ...(data.mentions ?? [])]),
      ...anyOf(task, ({ stream, subject }) => (stream.startsWith('task-') ? [subject] : [])),
      ...anyOf(run, ({ data }) => [data.runId, data.run, data.retryOf, data.by, data.behind, ...(data.runIds ?? [])]),
      ...anyOf(routine, ({ stream, subject }) => (stream.startsWith('routine-') ? [subject] : [routineOfTask(subject)])),
    ];
  }

  /** The topic under which the reader is told the event; undefined when it is not. */
  topicOf(event: Recorded): Topic | undefined {
    const topic = event.company === this.company ? topicOf(event) : undefined;
    return topic && this.topics.has(topic) && this.names.every((fits) => fits(event as Recorded<Named>)) ? topic : undefined;
  }

  /** Of the company as a whole, so that nothing else that is asked for narrows it. */
  changesDashboard(event: Recorded): boolean {
    return this.topics.has('dashboard') && event.company === this.company && changesDashboard(event);
  }
}

const eventTopics = topics.filter((topic) => topic !== 'dashboard');

/** The fields by which events name agents and runs. */
interface Named {
  readonly type: string;
  readonly data: Readonly<
    Partial<Record<'agent' | 'assignee' | 'previous', AgentId | null>> &
      Partial<Record<'runId' | 'run' | 'retryOf' | 'by' | 'behind', RunId | null>>
  > & {
    readonly mentions?: readonly AgentId[];
    readonly runIds?: readonly RunId[];
    readonly order?: { readonly agent: AgentId } | null;
  };
}

function anyOf(wanted: readonly string[] | undefined, named: (event: Recorded<Named>) => readonly (string | null | undefined)[]) {
  if (wanted === undefined) return [];
  const fitting: ReadonlySet<unknown> = new Set(wanted);
  return [(event: Recorded<Named>) => named(event).some((name) => fitting.has(name))];
}
