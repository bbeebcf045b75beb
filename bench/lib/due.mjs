import { company } from './history.mjs';
import { until } from './measure.mjs';
import { seed } from './seed.mjs';

/** They meet every phase of a poll. */
const apartMs = 97;

/** When so many things come due, one after another, the first in a while; in ms since 1970. */
export function dueTimes(count) {
  const first = Date.now() + 1_500;
  return Array.from({ length: count }, (_, n) => first + n * apartMs);
}

/** Parks a run of each task and answers how late each was promoted, in ms, as any other process hears of it: from the log. */
export async function promotedLate(store, tasks) {
  const late = [];
  const stopped = new AbortController();
  const followed = follow(store, await store.head(), stopped.signal, late);
  const times = dueTimes(tasks.length);
  await seed(store, 'parked', tasks, { due: (task) => new Date(times[tasks.indexOf(task)]) });
  await until('everything was due', 60_000, () => late.length >= tasks.length);
  stopped.abort();
  await followed;
  return late;
}

async function follow(store, after, signal, late) {
  for await (const page of store.subscribe({ after, signal }))
    for (const event of page)
      if (event.type === 'RetryPromoted' && event.company === company) late.push(Date.now() - Date.parse(event.data.dueAt));
}
