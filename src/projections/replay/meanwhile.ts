import { agents, type AgentEvent } from '../../events/agent.js';
import { companies, type CompanyEvent } from '../../events/company.js';
import { agentStream, companyStream, type AgentId, type Json, type Position, type StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamUpTo } from '../as-of/stream-up-to.js';
import type { Fact, Step } from './lane-story.js';
import { differences } from './state-diff.js';

/**
 * What was paused, held and released up to a position, of a company and of some agents: no events of a task, and they explain much of
 * what happened on it.
 */
export async function heldMeanwhile(
  store: EventStore,
  company: string,
  names: readonly AgentId[],
  at: Position,
): Promise<Step[]> {
  const found = await Promise.all([
    stepsOf(store, companyStream(company), at, ofCompany(company)),
    ...names.map((agent) => stepsOf(store, agentStream(company, agent), at, ofAgent(agent))),
  ]);
  return found.flat().filter(({ event }) => holding.includes(event.type));
}

const holding: readonly string[] = ['AgentPaused', 'AgentResumed', 'AgentTerminated', 'CompanyHeld', 'CompanyReleased'];

/** Answers after each event what it has come to, as far as holds go. */
type Following = (event: Fact) => { readonly path: readonly string[]; readonly is: Json };

function ofAgent(agent: AgentId): Following {
  let state = agents.initial;
  return (event) => {
    // On an agent's stream are its own events, and no others.
    state = agents.evolve(state, event as Fact & AgentEvent);
    return { path: ['agents', agent], is: state ? { status: state.status, reason: state.pause?.reason ?? null } : null };
  };
}

function ofCompany(company: string): Following {
  let state = companies.initial;
  return (event) => {
    state = companies.evolve(state, event as Fact & CompanyEvent);
    return { path: ['companies', company, 'held'], is: state.held?.reason ?? null };
  };
}

async function stepsOf(store: EventStore, stream: StreamId, at: Position, follow: Following): Promise<Step[]> {
  const steps: Step[] = [];
  let was: Json = null;
  for await (const events of streamUpTo(store, stream, at))
    for (const event of events) {
      const { path, is } = follow(event);
      steps.push({ event, changes: differences(was, is, path) });
      was = is;
    }
  return steps;
}
