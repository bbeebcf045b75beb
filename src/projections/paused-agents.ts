import type { AgentId } from '../events/event.js';
import { agents } from './agents.js';
import type { ReadModels } from './read-models.js';

/** Which of these agents are paused, so that their open demands and runs are held. */
export async function pausedAmong(readModels: ReadModels, company: string, names: Iterable<AgentId>): Promise<Set<AgentId>> {
  const asked = [...new Set(names)];
  if (asked.length === 0) return new Set();
  const db = await readModels.of(agents);
  const found = await db
    .selectFrom('agents')
    .select('agent')
    .where('company', '=', company)
    .where('status', '=', 'paused')
    .where('agent', 'in', asked)
    .execute();
  return new Set(found.map(({ agent }) => agent));
}
