import { companies, type Company } from '../src/events/company.js';
import { nameUuid, type Actor, type AgentId, type Event, type Recorded, type TaskId } from '../src/events/event.js';
import type { Lane } from '../src/events/lane.js';
import type { Agent } from '../src/events/agent.js';
import { Rejected, type Decision, type Lease, type World } from '../src/commands/decider.js';
import { validated } from '../src/commands/dispatch.js';
import { at, defaultAgents, person } from './facts.js';

/** What a decision is told besides its command; a person asks at noon, and chance is even, unless it is said otherwise. */
export interface Circumstances {
  readonly now?: Date;
  readonly random?: number;
  readonly actor?: Actor;
  readonly agents?: Readonly<Record<AgentId, Agent>>;
  readonly lease?: Lease;
  readonly tasks?: Readonly<Record<TaskId, Lane>>;
  readonly company?: Company;
  readonly commandId?: string;
}

type Fields<C> = { readonly [Field in keyof C]?: unknown };

/**
 * A decision without a store: `given(queued, started, failed).when(scheduleRetry, { … }, { now: at('12:00') }).then(…)`. The facts are
 * folded, the command is validated as Dispatch does it, and what was decided is folded once more for the answer.
 */
export const given = <Facts extends readonly Event[]>(...facts: Facts) => ({
  when: <C extends object, State, E extends Event, Answer>(
    decision: Decision<C, State, E | Facts[number], Answer>,
    fields: Fields<C>,
    circumstances: Circumstances = {},
  ) => new Decided(decision, facts, validated(decision.command, fields), circumstances),
});

type Expected<E extends Event> = { readonly type: E['type']; readonly data?: object };

class Decided<C extends object, State, E extends Event, Answer> {
  private readonly before: State;

  constructor(
    private readonly decision: Decision<C, State, E, Answer>,
    private readonly facts: readonly E[],
    private readonly command: C,
    private readonly circumstances: Circumstances,
  ) {
    this.before = facts.reduce(decision.of.evolve, decision.of.initial);
  }

  /** The command's answer holds this. */
  answering(answer: object): this {
    expect(this.answer()).toMatchObject(answer);
    return this;
  }

  /** Exactly these, in this order; of their data what is named here. */
  then(...expected: readonly Expected<E>[]): void {
    const events = this.events();
    expect(events.map(({ type }) => type)).toEqual(expected.map(({ type }) => type));
    if (expected.length > 0) expect(events).toMatchObject(expected);
  }

  /** It is so already. */
  thenNothing(): void {
    this.then();
  }

  refuses(code: Rejected['code'], sentence: RegExp | string = ''): void {
    const refusal = this.refusal();
    expect(refusal).toMatchObject({ code });
    expect(refusal.message).toMatch(sentence);
  }

  events(): readonly E[] {
    return this.decision.decide(this.command, this.before, world(this.circumstances));
  }

  private answer(): Answer {
    const events = this.events();
    const revision = this.facts.length + events.length - 1;
    const state = events.reduce(this.decision.of.evolve, this.before);
    return this.decision.answer(this.command, {
      state,
      events: events.map(recorded),
      revision,
      position: String(revision),
      replayed: false,
      world: world(this.circumstances),
    });
  }

  private refusal(): Rejected {
    try {
      this.answer();
    } catch (error) {
      if (error instanceof Rejected) return error;
      throw error;
    }
    throw new Error(`${this.decision.command.name} was not refused: ${JSON.stringify(this.events())}`);
  }
}

function world({
  now = at('12:00'),
  random = 0.5,
  actor = person,
  agents = defaultAgents,
  lease,
  tasks = {},
  company = companies.initial,
  commandId = 'command-1',
}: Circumstances): World {
  return { now, random: () => random, actor, lease, commandId, agent: (id) => agents[id], task: (id) => tasks[id], company };
}

const recorded = <E extends Event>(event: E, revision: number): Recorded<E> => ({
  ...event,
  id: nameUuid(event.type, revision),
  schema: 1,
  stream: 'task-acme.ACME-12',
  company: 'acme',
  subject: 'ACME-12',
  revision,
  position: String(revision),
  recordedAt: at('12:00').toISOString(),
  metadata: { actor: person, correlationId: 'command-1', causationId: 'command-1', commandId: 'command-1' },
});
