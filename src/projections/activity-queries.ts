import type { Position } from '../events/event.js';
import { activity, type ActivityRow } from './activity.js';
import { newestFirst } from './newest-first.js';
import type { Page, PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';

/** A line of the feed. */
export interface ActivityLine {
  readonly position: Position;
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly entity: { readonly type: string; readonly id: string };
  readonly agent?: string;
  readonly task?: string;
  readonly run?: string;
  readonly sentence: string;
}

export interface ActivityFilters {
  readonly agent?: readonly string[];
  readonly task?: readonly string[];
  readonly run?: readonly string[];
  /** ids of actors */
  readonly actor?: readonly string[];
}

export class ActivityQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** Newest first, 100 unless asked for 1–500. @throws InvalidCursor */
  async list(company: string, { run, task, actor, agent }: ActivityFilters, page: PageRequest): Promise<Page<ActivityLine>> {
    const { rows, next } = await newestFirst<ActivityRow>(this.readModels.kysely, {
      name: 'activity',
      schema: await this.readModels.nameOf(activity.name),
      table: activity.name,
      company,
      order: ['position'],
      filters: [
        ['run', run],
        ['task', task],
        ['agent', agent],
        ['actor_id', actor],
      ],
      page,
      limits: { otherwise: 100, most: 500 },
    });
    return { items: rows.map(shown), next };
  }
}

const shown = (row: ActivityRow): ActivityLine => ({
  position: row.position,
  at: row.at,
  actor: { type: row.actor_type, id: row.actor_id },
  action: row.action,
  entity: { type: row.entity_type, id: row.entity_id },
  agent: row.agent ?? undefined,
  task: row.task ?? undefined,
  run: row.run ?? undefined,
  sentence: row.sentence,
});
