import { seeded } from '../projections/history.js';
import { brokenAtTheEnd, brokenOf, leftBehind } from './invariants.js';
import { MortalLedger } from './mortal.js';
import { isUnfinished, letGo, mostRounds, walk, workOff } from './play.js';
import { Rig } from './rig.js';
import type { Step } from './steps.js';
import { isLong, seed } from './seed.js';

/** Longer than any lease. */
const outageMs = 40_000;
let deaths = 0;

/** What the reference would say depends on when the process comes back; what holds in the end, and all the time, does not. */
async function comesToRest(steps: readonly Step[]): Promise<string | undefined> {
  const draw = seeded(steps.length * 7 + 3);
  const lives = Array.from({ length: 40 }, () => draw(60));
  const ledger = new MortalLedger(lives.values(), outageMs);
  const rig = await Rig.open(ledger);
  const wrong = (await doAll(rig, steps)) ?? (await doAll(rig, letGo));
  if (wrong) return wrong;
  for (let round = 0; round < mostRounds && isUnfinished(rig); round++) {
    const worked = await doAll(rig, workOff);
    if (worked) return `in the end: ${worked}`;
  }
  deaths += ledger.deaths;
  return (await leftBehind(rig)) ?? brokenAtTheEnd(rig);
}

async function doAll(rig: Rig, steps: readonly Step[]): Promise<string | undefined> {
  for (const [at, step] of steps.entries()) {
    await rig.do(step);
    if (!step.lag) await rig.react();
    const wrong = brokenOf(rig);
    if (wrong) return `step ${at + 1}, ${JSON.stringify(step)}: ${wrong}`;
  }
  return undefined;
}

it(`comes to rest, although each time that its process is killed all leases run out (SEED=${seed})`, async () => {
  const sequences = Number(process.env.N ?? (isLong ? 20_000 : 300));
  await walk(seed, sequences, 60, comesToRest);
  expect(deaths).toBeGreaterThan(sequences);
}, 36_000_000);
