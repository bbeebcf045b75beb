// One measured rebuild in a process of its own, so that its memory is known: answers how long it took and the most memory it had.
import 'reflect-metadata';
import { createPool } from '../../dist/database.js';
import { PostgresEventStore } from '../../dist/event-store/postgres.js';
import { projectionsOfTheLedger } from '../../dist/projections/all.js';
import { readModelOf } from '../../dist/projections/projection.js';
import { Owners } from '../../dist/projections/projector/owner.js';
import { compare } from '../../dist/projections/rebuild/compare.js';
import { fill } from '../../dist/projections/rebuild/fill.js';
import { addIndexes, createReadModel, createTable, dropReadModel } from '../../dist/projections/rebuild/schema.js';
import { rebuildByHand } from './fold-limit.mjs';
import { seconds } from './measure.mjs';

const signal = new AbortController().signal;
const pace = { take: async () => {} };

process.on('message', async ({ what, ...asked }) => {
  const world = open(asked.url);
  const measured = await sides[what](world, asked);
  await world.close();
  process.send({ ...measured, peakMb: process.resourceUsage().maxRSS / 1024 });
});
process.on('disconnect', () => process.exit());
process.send('ready');

const sides = {
  /** fill and indexes of each table, one after the other */
  ours: (world, { names, upTo }) =>
    timed(names, async (projection) => {
      const readModel = `bench_${projection.name}`;
      await createTable(world.db, projection, readModel);
      const { rows } = await fill({ ...world, projection, readModel, upTo, pace, signal, moved: () => {} });
      await addIndexes(world.db, projection, readModel);
      return { rows, drop: () => dropReadModel(world.db, readModel) };
    }),
  limit: (world, { names, url, events }) =>
    timed(names, async (projection) => {
      const schema = `bench_${projection.name}`;
      await createTable(world.db, projection, schema);
      await rebuildByHand(url, projection.name, schema, events);
      await addIndexes(world.db, projection, schema);
      const { rows } = await world.db.query(`select count(*) as n from ${schema}.${projection.name}`);
      return { rows: rows[0].n, drop: () => dropReadModel(world.db, schema) };
    }),
  /** fill to where the live one is by now, indexes, and comparison with it */
  verify: (world, { names }) =>
    timed(names, async (projection) => {
      const readModel = readModelOf(projection, 2);
      const at = await checkpointOf(world.db, readModelOf(projection));
      await createReadModel(world.db, projection, { readModel, generation: 2, filling: true, at });
      const { rows } = await fill({ ...world, projection, readModel, upTo: at.position, pace, signal, moved: () => {} });
      await addIndexes(world.db, projection, readModel);
      const began = performance.now();
      const live = { projection, readModel: readModelOf(projection) };
      const { agrees } = await compare({ ...world, projection, live, rebuilt: readModel, signal });
      if (!agrees) throw new Error(`${readModel} differs from what is live`);
      return { rows, compared: seconds(began), drop: () => dropReadModel(world.db, readModel) };
    }),
};

async function checkpointOf(db, readModel) {
  const { rows } = await db.query(
    'select position, event_id as "eventId", stream, revision from checkpoints where read_model = $1',
    [readModel],
  );
  return rows[0];
}

async function timed(names, work) {
  const counts = {};
  let [took, compared] = [0, 0];
  for (const name of names) {
    const began = performance.now();
    const done = await work(projectionsOfTheLedger.find((projection) => projection.name === name));
    took += seconds(began);
    compared += done.compared ?? 0;
    counts[name] = done.rows;
    await done.drop();
  }
  return { took, compared, counts };
}

function open(url) {
  const db = createPool(url, 'admin', 4);
  const store = new PostgresEventStore({ url });
  return { db, store, owners: new Owners(db), close: () => Promise.all([store.close(), db.end()]) };
}
