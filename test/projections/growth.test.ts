import { readFileSync } from 'node:fs';
import { nameUuid, taskStream, type NewEvent } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { activity } from '../../src/projections/activity.js';
import { runStatus } from '../../src/projections/run-status.js';
import { tasks } from '../../src/projections/tasks.js';
import { fact, failedRun } from '../facts.js';
import { freshDatabase } from '../postgres.js';
import { anyProjection } from '../../src/projections/projection.js';
import { ReadSide } from './read-side.js';

const growth = readFileSync(new URL('../../migrations/0005_read_models_grow.sql', import.meta.url), 'utf8');
const stream = taskStream('acme', 'ACME-12');
const moved = (from: 'todo' | 'blocked', to: 'todo' | 'blocked', why: string | null) =>
  fact('TaskStatusChanged', { task: 'ACME-12', from, to, why, queuedRuns: [], changedAt: '2026-04-20T12:00:00.000Z' });

/** As tables and rows were before there were holds, blockers and comments. */
const asBefore = `
  alter table tasks_v1.tasks drop column why, drop column held, drop column blockers;
  alter table run_status_v1.run_status drop column silence, drop column detached, drop column blocked_by;
  update activity_v1.activity set sentence = 'was told in other words';`;

it('lets the read models of before grow into what a rebuild gives', async () => {
  const database = await freshDatabase();
  const store = new PostgresEventStore({ url: database.url });
  const happen = async (...facts: readonly LaneEvent[]) => {
    const events = facts.map((event, n): NewEvent<LaneEvent> => ({ ...event, id: nameUuid(stream, n), schema: 1 }));
    const metadata = {
      actor: { type: 'user', id: 'ada' },
      correlationId: '',
      causationId: '',
      commandId: 'command-1',
    } as const;
    await store.append([{ stream, expectedRevision: 'no-stream', events, metadata }]);
  };
  const withReadSide = async (work: (side: ReadSide) => Promise<unknown>) => {
    const side = new ReadSide(database.url, store, [tasks, runStatus, activity].map(anyProjection));
    await side.start();
    await side.caughtUp();
    await work(side).finally(() => side.stop());
  };
  const blockedOnce = [moved('todo', 'blocked', 'at first'), moved('blocked', 'todo', null)];
  await happen(...failedRun, ...blockedOnce, moved('todo', 'blocked', 'ACME-12.1 failed for good'));
  await withReadSide((side) => side.expectRowsOfTheLog());
  await database.pool.query(asBefore);
  await database.pool.query(growth);
  await withReadSide((side) => side.expectRowsOfTheLog());
  await store.close();
  await database.drop();
});
