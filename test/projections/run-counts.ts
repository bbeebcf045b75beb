import { anyProjection, change, type AnyProjection, type Change, type Fact } from '../../src/projections/projection.js';

/** How many runs a task has had: a read model of the tests, in versions that change it in every way that there is. */
interface RunCount {
  readonly company: string;
  readonly task: string;
  readonly runs: number;
  readonly failed?: number;
}

type Queued = Fact<'RunQueued' | 'RetryScheduled'>;

const more = ({ company, subject }: Queued, by: number, first?: Partial<RunCount>): Change<RunCount> =>
  change([company, subject], (row) => ({
    ...(row ?? { company, task: subject, runs: 0, ...first }),
    runs: (row?.runs ?? 0) + by,
  }));

const failedOnce = ({ company, subject }: Fact<'RunFailed'>): Change<RunCount> =>
  change([company, subject], (row) => row && { ...row, failed: (row.failed ?? 0) + 1 });

const ddl = (columns: string): string => `
  create table run_counts (
    company text collate "C" not null,
    task text collate "C" not null,
    ${columns},
    primary key (company, task)
  );
  create index run_counts_by_runs on run_counts (company, runs);`;

const version = (of: number, columns: string, definition: Pick<AnyProjection, 'differs'> & { on: object }): AnyProjection =>
  anyProjection({
    name: 'run_counts',
    version: of,
    key: ['company', 'task'],
    keyedBy: 'stream',
    ddl: ddl(columns),
    ...definition,
  });

const counted = (by: number, first?: Partial<RunCount>) => {
  const queued = (event: Queued) => more(event, by, first);
  return { RunQueued: queued, RetryScheduled: queued };
};

export const first = version(1, 'runs integer not null', { on: counted(1) });
export const withAColumn = version(2, 'runs integer not null, failed integer not null', {
  on: { ...counted(1, { failed: 0 }), RunFailed: failedOnce },
});
/** Counts double, and says so. */
export const meantToDiffer = version(3, 'runs integer not null', { on: counted(2), differs: ['runs'] });
/** Counts double, and does not know it. */
export const mistaken = version(4, 'runs integer not null', { on: counted(2) });
const fails = () => {
  throw new Error('no such thing');
};
/** Cannot fold what every history has in it. */
export const unfoldable = version(5, 'runs integer not null', { on: { ...counted(1), RunFailed: fails } });
/** Cannot fold what no history has in it. */
export const unfoldableLater = version(6, 'runs integer not null', { on: { ...counted(1), CompanyNamed: fails } });
/** Is given no room by Postgres before the test says so: `room()` is the test's. */
export const crowded = version(7, 'runs integer not null check (public.room())', { on: counted(1) });

/** Today's, of which the server of before knew the first. */
export const allVersions: readonly AnyProjection[] = [
  first,
  withAColumn,
  meantToDiffer,
  mistaken,
  unfoldable,
  unfoldableLater,
  crowded,
];
