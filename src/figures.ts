import type pg from 'pg';
import { sealedEvents } from './audit/safeguards.js';
import { neededRoles } from './doctor.js';
import type { EventStore } from './event-store/event-store.js';
import type { StoredLog } from './event-store/stored-log.js';
import { policiesOfTheLedger } from './policies/all.js';
import { LogEnd } from './projections/log-end.js';
import { CheckpointQueries, withLags } from './projections/operations/checkpoint-queries.js';
import { ReadModelUnknown, type ReadModels } from './projections/read-models.js';
import { routineFigures, type RoutineFigures } from './projections/routines/routine-figures.js';
import { LastingUnexplained } from './projections/why/lasting.js';
import type { PolicyCounts } from './workers/policy-term.js';

/** How the ledger is, in numbers, as its database knows it. Lags are in events. */
export interface Figures {
  /** events of the log */
  readonly events: number;
  /** those whose rows are complete */
  readonly readModels: readonly ReadModelFigures[];
  readonly policies: readonly PolicyFigures[];
  /** below one range of 1,024 while all is well */
  readonly sealLag: number;
  /** of each role that something depends on, the processes that live */
  readonly processes: readonly { readonly role: string; readonly count: number }[];
  /** undefined: this server cannot ask the read models that tell it; likewise the others below */
  readonly shouldBeRunning?: number;
  readonly routines?: RoutineFigures;
}

interface ReadModelFigures {
  readonly projection: string;
  readonly readModel: string;
  readonly live: boolean;
  readonly lag: number;
  readonly halted: boolean;
  readonly parkedStreams: number;
}

interface PolicyFigures {
  readonly policy: string;
  readonly lag: number;
  readonly halted: boolean;
  readonly parkedReactions: number;
}

interface World {
  readonly reads: pg.Pool;
  readonly store: Pick<EventStore, 'head' | 'count'>;
  readonly storedLog: StoredLog;
  readonly readModels: ReadModels;
  /** of this process; they come with its loops */
  readonly policies: readonly { readonly policy: { readonly name: string }; readonly counts: PolicyCounts }[];
}

/**
 * Looks that cost what is open, however long the log is: none reads it, or rows of what is over. That is why demands are not added up
 * here as the doctor does: their account has a row for each lane that there ever was.
 */
export class FigureQueries {
  private readonly checkpoints: CheckpointQueries;
  private readonly unexplained: LastingUnexplained;

  constructor(private readonly world: World) {
    this.checkpoints = new CheckpointQueries(world.readModels);
    this.unexplained = new LastingUnexplained(world);
  }

  async look(): Promise<Figures> {
    const { reads, store, storedLog } = this.world;
    const end = await LogEnd.of(store);
    const events = await end.events();
    return {
      events,
      readModels: await this.readModels(end),
      policies: await this.policies(end),
      sealLag: Math.max(0, events - (await sealedEvents(reads, storedLog))),
      processes: await this.processes(),
      shouldBeRunning: await ifKnown(() => this.unexplained.count()),
      routines: await ifKnown(() => routineFigures(this.world.readModels)),
    };
  }

  /** What the policies of this process have done since its start, by their names. */
  policyCounts(): readonly (readonly [policy: string, PolicyCounts])[] {
    return this.world.policies.map(({ policy, counts }) => [policy.name, counts]);
  }

  private async readModels(end: LogEnd): Promise<ReadModelFigures[]> {
    const complete = (await this.checkpoints.list()).filter(({ filling }) => !filling);
    return (await withLags(complete, end)).map(({ name, readModel, live, lag = 0, halted, parkedStreams }) => ({
      projection: name,
      readModel,
      live,
      lag,
      halted: halted !== undefined,
      parkedStreams,
    }));
  }

  private async policies(end: LogEnd): Promise<PolicyFigures[]> {
    const { rows } = await this.world.reads.query<Omit<PolicyFigures, 'lag'> & { position: string }>(
      `select
         policy,
         coalesce(position, '') as position,
         halted is not null as halted,
         (
           select count(*)
           from parked_reactions parked
           where parked.policy = known.policy
         ) as "parkedReactions"
       from unnest($1::text[]) known (policy)
       left join policy_checkpoints using (policy)
       order by policy`,
      [policiesOfTheLedger.map(({ name }) => name)],
    );
    return Promise.all(rows.map(async ({ position, ...row }) => ({ ...row, lag: await end.behind(position) })));
  }

  private async processes(): Promise<Figures['processes']> {
    const { rows } = await this.world.reads.query<{ role: string; count: number }>(
      `select role, count(holder) as count
       from unnest($1::text[]) needed (role)
       left join processes on role = any(roles) and seen_at > clock_timestamp() - interval '15 s'
       group by role
       order by role`,
      [neededRoles],
    );
    return rows;
  }
}

async function ifKnown<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ReadModelUnknown) return undefined;
    throw error;
  }
}
