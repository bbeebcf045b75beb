// A process of its own for one thing that is done with a whole log, so that nothing of it is left for the next: [engine, url]. Its one
// message is answered when that is done.
import 'reflect-metadata';
import { openProjectors, timeToCatchUp } from './projectors.mjs';
import { seed, taskNames } from './seed.mjs';
import { engines } from './stores.mjs';

const [engine, url] = process.argv.slice(2);
const store = await engines[engine](url);
const things = { fill, catchUp };

process.on('message', async ({ what, ...asked }) => process.send(await things[what](asked)));
process.on('disconnect', () => process.exit());
process.send('ready');

/** The lives of so many tasks, of a company that is not in the log; answers where they begin and end. */
async function fill({ company, tasks }) {
  const before = await store.head();
  const moved = (write) => ({ ...write, stream: write.stream.replace('-bench.', `-${company}.`) });
  const append = (writes) => store.append(writes.map(moved));
  const head = await seed({ append, head: () => store.head() }, 'whole', taskNames('T', tasks));
  await store.close();
  return { before, head };
}

/** The read models of a database, from where their checkpoints are; answers how long it took, in seconds. */
async function catchUp({ readModels, head }) {
  const side = openProjectors(readModels, store);
  const took = await timeToCatchUp(side, head);
  await side.close();
  return took;
}
