// A process of its own that has one of the stores: [name, url]; each message is answered with what was measured. A client of EventStoreDB
// whose connection breaks fails the appends of all others in its process, so that each has one.
import { closedLoop, seconds } from './measure.mjs';
import { newStream } from './samples.mjs';
import { stores } from './stores.mjs';

const [name, url] = process.argv.slice(2);
const store = await stores[name](url).catch((error) => {
  console.error(`the store "${name}" cannot be opened: ${error.message}`);
  process.exit(1);
});
const questions = { append, read, version: () => store.serverVersion };

process.on('message', async ({ what, ...asked }) => process.send(await questions[what](asked)));
process.on('disconnect', async () => {
  await store.close();
  process.exit();
});
process.send('ready');

/** Each caller adds to a stream of its own and knows its revision; a rate of events. */
async function append({ callers, size, ms }) {
  const lanes = Array.from({ length: callers }, () => ({ stream: newStream(), revision: -1 }));
  const { rate, ...rest } = await closedLoop(callers, ms, async (caller) => {
    const lane = lanes[caller];
    await store.append(size, lane.stream, lane.revision);
    lane.revision += size;
  });
  return { rate: rate * size, ...rest };
}

/** So many events behind a position, page by page. */
async function read({ after, events, page: limit }) {
  const start = performance.now();
  let count = 0;
  for (let at = after; count < events;) {
    const page = await store.page(at, limit);
    if (page.length === 0) throw new Error(`${name}: the log ends ${count} events behind "${after}", not ${events}`);
    count += page.length;
    at = page.at(-1).position;
  }
  return { rate: count / seconds(start) };
}
