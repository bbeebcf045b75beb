import { randomUUID } from 'node:crypto';
import type { Decision } from '../../src/commands/decider.js';
import { validated } from '../../src/commands/dispatch.js';
import { startRebuild } from '../../src/commands/operations/rebuild.js';
import type { Event } from '../../src/events/event.js';
import type { LedgerProcess } from '../../src/ledger-process.js';
import { RebuildQueries, type RebuildView } from '../../src/projections/operations/rebuild-queries.js';
import type { History } from './history.js';
import { until } from './until.js';

/** A person who changes read models, and looks at what becomes of it. */
export class Operator {
  readonly rebuilds: RebuildQueries;

  constructor(
    private readonly process: Pick<LedgerProcess, 'ledger' | 'readModels' | 'reads' | 'store'>,
    private readonly name = 'alice',
  ) {
    this.rebuilds = new RebuildQueries(process.readModels);
  }

  async says<C extends object, State, E extends Event, Answer>(
    decision: Decision<C, State, E, Answer>,
    fields: { readonly [Field in keyof C]?: unknown },
  ): Promise<Answer> {
    const context = { commandId: randomUUID(), actor: { type: 'user', id: this.name } } as const;
    const { answer } = await this.process.ledger.handle(decision, validated(decision.command, fields), context);
    return answer;
  }

  async rebuild(projection: string, version: number, more: { purpose?: string; eventsPerSecond?: number } = {}): Promise<string> {
    const live = await this.asked(projection);
    const answer = await this.says(startRebuild, {
      projection,
      version,
      purpose: 'cut_over',
      live,
      reason: 'to try it',
      ...more,
    });
    return answer.rebuild.id;
  }

  /** The rebuild when it has come to one of these phases; fails when it comes to its end elsewhere. */
  async sees(id: string, ...phases: RebuildView['phase'][]): Promise<RebuildView> {
    let seen: RebuildView | undefined;
    await until(
      `${id} is ${phases.join(' or ')}`,
      async () => {
        seen = await this.rebuilds.get(id);
        if (seen?.error !== undefined && !phases.includes('failed')) throw new Error(`${id} has failed: ${seen.error}`);
        return seen !== undefined && phases.includes(seen.phase);
      },
      20_000,
    );
    return seen!;
  }

  async asked(projection: string): Promise<string> {
    const { rows } = await this.process.reads.query<{ readModel: string }>(
      'select read_model as "readModel" from projection_versions where projection = $1',
      [projection],
    );
    return rows[0]!.readModel;
  }

  /** After an outage of Postgres, the projector that it waits for may stay away for 10 s before it tries again. */
  async seesAsked(projection: string, readModel: string): Promise<void> {
    await until(`${readModel} is asked`, async () => (await this.asked(projection)) === readModel, 20_000);
  }

  async seesGone(readModel: string): Promise<void> {
    await until(`${readModel} is dropped`, async () => !(await this.isThere(readModel)), 20_000);
  }

  async isThere(readModel: string): Promise<boolean> {
    const { rowCount } = await this.process.reads.query(
      `select from pg_namespace where nspname = $1
       union all
       select from checkpoints where read_model = $1`,
      [readModel],
    );
    return rowCount !== 0;
  }

  async rows(readModel: string, projection: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.process.reads.query<Record<string, unknown>>(
      `select * from ${readModel}.${projection} order by company, task`,
    );
    return rows;
  }

  async happens(history: History, steps: number): Promise<void> {
    for (const write of history.steps(steps)) {
      const [result] = await this.process.store.append([write]);
      if (result?.outcome !== 'appended') throw new Error(`${write.stream}: ${JSON.stringify(result)}`);
    }
  }
}
