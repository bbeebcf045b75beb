// What others ask of a server, in a process of its own: one caller puts tasks, one claims runs, one beats for a run that it holds, each at
// its own pace and not faster, so that they are no load themselves. Each message {url, ms} is answered with how long each call took.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const apartMs = 25;
let held;

process.on('message', async ({ url, ms }) => {
  held ??= await claimed(url, 'beater', 900_000);
  const lanes = { put: () => put(url), claim: () => claim(url), beat: () => beat(url) };
  const end = performance.now() + ms;
  const entries = Object.entries(lanes).map(async ([name, call]) => [name, await latencies(call, end)]);
  process.send(Object.fromEntries(await Promise.all(entries)));
});
process.on('disconnect', () => process.exit());
process.send('ready');

async function latencies(call, end) {
  const found = [];
  while (performance.now() < end) {
    found.push(await call());
    await pause(apartMs);
  }
  return found;
}

const put = (url) => timed(() => ask(url, 'PUT', `tasks/B-${randomUUID()}`, { title: 'Make the nightly build green again' }));

/** There is a run to be claimed each time; it is over at once. */
async function claim(url) {
  await ask(url, 'POST', 'wakeups', { agent: 'claimer' });
  let runs;
  const ms = await timed(async () => ({ runs } = await claims(url, 'claimer')));
  for (const { run, lease } of runs)
    await ask(url, 'POST', `runs/${run.id}/finish`, { lease: lease.token, outcome: 'succeeded' });
  return ms;
}

const beat = (url) => timed(() => ask(url, 'POST', `runs/${held.run.id}/beat`, { lease: held.lease.token }));

async function claimed(url, agent, leaseMs) {
  for (const each of ['claimer', 'beater']) await ask(url, 'PUT', `agents/${each}`, {});
  await ask(url, 'POST', 'wakeups', { agent });
  return (await claims(url, agent, { leaseMs })).runs[0];
}

const claims = (url, agent, more = {}) =>
  ask(url, 'POST', `agents/${agent}/claims?wait=5`, { workerId: 'laptop', requestId: randomUUID(), ...more });

async function timed(call) {
  const sent = performance.now();
  await call();
  return performance.now() - sent;
}

async function ask(url, method, path, body) {
  const headers = { 'content-type': 'application/json' };
  const sent = { method, headers, body: JSON.stringify(body ?? {}) };
  const response = await fetch(`${url}/v1/companies/bench/${path}`, sent);
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
