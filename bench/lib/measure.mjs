/** Calls one after another in each of `callers` lanes for `ms`: calls per second, and how long each took in ms. */
export async function closedLoop(callers, ms, call) {
  const latencies = [];
  const start = performance.now();
  const lane = async (_, caller) => {
    while (performance.now() - start < ms) {
      const sent = performance.now();
      await call(caller);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: callers }, lane));
  return { rate: latencies.length / seconds(start), p50: percentile(latencies, 50), p99: percentile(latencies, 99) };
}

/** The same for a list of things to be done, each once. */
export async function eachOnce(callers, things, call) {
  const latencies = [];
  const start = performance.now();
  const left = things.values();
  const lane = async () => {
    for (const thing of left) {
      const sent = performance.now();
      await call(thing);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: callers }, lane));
  return { rate: things.length / seconds(start), p50: percentile(latencies, 50), p99: percentile(latencies, 99) };
}

/**
 * Measures every side in every round, so that what else the machine does meets all of them; the order turns from round to round.
 * A first round, `round` -1, warms up and is not counted. Answers, of each side, what its rounds measured.
 */
export async function alternate(rounds, sides, { warmUp = true } = {}) {
  const names = Object.keys(sides);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = warmUp ? -1 : 0; round < rounds; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + 1) % names.length];
      const result = await sides[name](round);
      process.stderr.write('.');
      if (round >= 0) measured[name].push(result);
    }
  return measured;
}

export const median = (values) => percentile(values, 50);

export function percentile(values, p) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
}

export const seconds = (start) => (performance.now() - start) / 1000;

/** Polls until `done` answers something true; an error after `ms`. */
export async function until(what, ms, done) {
  const start = performance.now();
  for (;;) {
    const answer = await done();
    if (answer) return answer;
    if (performance.now() - start > ms) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((resume) => setTimeout(resume, 5));
  }
}
