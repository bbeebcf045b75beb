import { apart, registered, story } from './history.mjs';

const callSize = 250;

/** Registers the agent and appends a story for every task, in calls of many tasks; answers the position of the last event. */
export async function seed(store, name, tasks, { due = () => undefined } = {}) {
  await append(store, [await registered()]);
  const copy = await story(name);
  for (let from = 0; from < tasks.length; from += callSize)
    await append(
      store,
      tasks.slice(from, from + callSize).map((task) => copy(task, { due: due(task) })),
    );
  return store.head();
}

/** The same events, the first of each task, then the second of each, and so on: no two neighbours are of one run. */
export async function seedInterleaved(store, name, tasks) {
  await append(store, [await registered()]);
  const copy = await story(name);
  const lanes = tasks.map((task) => apart(copy(task)));
  for (let n = 0; n < lanes[0].length; n++)
    for (let from = 0; from < lanes.length; from += callSize)
      await append(
        store,
        lanes.slice(from, from + callSize).map((lane) => lane[n]),
      );
  return store.head();
}

export const taskNames = (prefix, count) => Array.from({ length: count }, (_, n) => `${prefix}-${n + 1}`);

/** The agent may be there already. */
async function append(store, writes) {
  for (const { outcome, reason } of await store.append(writes))
    if (outcome === 'refused' || (outcome === 'conflict' && writes.length > 1))
      throw new Error(`a seed was not appended: ${outcome} ${reason}`);
}
