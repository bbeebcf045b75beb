import { seeded, type Draw } from '../projections/history.js';
import { brokenAtTheEnd, brokenOf, leftBehind } from './invariants.js';
import { Reference, signatureOf, standOf } from './reference.js';
import { Rig } from './rig.js';
import { agents, drawSteps, tasks, type Step } from './steps.js';

/** What is wrong: undefined if nothing is, and everything has come to its end once nothing stood in the way any more. */
export async function play(steps: readonly Step[]): Promise<string | undefined> {
  const both = { reference: new Reference(), rig: await Rig.open() };
  const wrong = differs(both) ?? (await playOn(both, steps)) ?? (await playOn(both, letGo));
  if (wrong) return wrong;
  for (let round = 0; round < mostRounds && isUnfinished(both.rig); round++) {
    const worked = await playOn(both, workOff);
    if (worked) return `in the end: ${worked}`;
  }
  return (await leftBehind(both.rig)) ?? brokenAtTheEnd(both.rig);
}

/** Nothing is held, and nobody paused any more. */
export const letGo: readonly Step[] = [
  ...agents.map((agent): Step => ({ do: 'resume', agent })),
  ...tasks.map((task): Step => ({ do: 'releaseTask', task })),
  { do: 'releaseCompany' },
];
/** Whatever is due, and can be worked on, is done. */
export const workOff: readonly Step[] = [
  { do: 'advance', ms: 1_000_000 },
  { do: 'reap' },
  { do: 'promote' },
  ...agents.flatMap((agent): Step[] => [
    { do: 'claim', agent },
    ...tasks.map((task): Step => ({ do: 'finish', task, ending: { outcome: 'succeeded' } })),
  ]),
];
export const mostRounds = 10;
export const isUnfinished = ({ runs }: Rig): boolean => runs.all().some(({ finished_at: end }) => end === null);

/** Nothing about the end: every step of a path, and what has come of it. */
export async function pass(steps: readonly Step[]): Promise<{ wrong: string | undefined; state: string }> {
  const both = { reference: new Reference(), rig: await Rig.open() };
  const wrong = await playOn(both, steps);
  return { wrong, state: signatureOf(both.reference) };
}

interface Both {
  readonly reference: Reference;
  readonly rig: Rig;
}

async function playOn({ reference, rig }: Both, steps: readonly Step[]): Promise<string | undefined> {
  for (const [at, step] of steps.entries()) {
    const expected = reference.do(step);
    const answered = await rig.do(step);
    if (expected !== answered) return `${say(at, step)}: ${answered ?? 'accepted'}, and not ${expected ?? 'accepted'}`;
    if (!step.lag) {
      reference.react();
      await rig.react();
    }
    const wrong = differs({ reference, rig }) ?? brokenOf(rig);
    if (wrong) return `${say(at, step)}: ${wrong}`;
  }
  return undefined;
}

const say = (at: number, step: Step): string => `step ${at + 1}, ${JSON.stringify(step)}`;

function differs({ reference, rig }: Both): string | undefined {
  const expected = standOf(reference);
  const found = rig.stand();
  const place = expected.findIndex((line, at) => line !== found[at]);
  if (place === -1 && expected.length === found.length) return undefined;
  const at = place === -1 ? expected.length : place;
  return `"${found[at] ?? 'nothing'}", and not "${expected[at] ?? 'nothing'}"\n${found.join('\n')}`;
}

/** Fails with the seed, and with as few steps as lead to the same kind of trouble. */
export async function walk(seed: number, count: number, length: number, playing = play): Promise<void> {
  for (let n = 0; n < count; n++) {
    const steps = drawSteps(drawOf(seed + n), length);
    const wrong = await said(playing, steps);
    if (wrong === undefined) continue;
    const shortest = await shortened(steps, playing);
    throw new Error(
      `SEED=${seed + n}: ${await said(playing, shortest)}\n${shortest.map((step) => JSON.stringify(step)).join(',\n')}`,
    );
  }
}

function drawOf(seed: number): Draw {
  const draw = seeded(seed * 7_919 + 1);
  for (let n = 0; n < 5; n++) draw(2);
  return draw;
}

async function said(playing: typeof play, steps: readonly Step[]): Promise<string | undefined> {
  try {
    return await playing(steps);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Leaves out ever smaller parts, as long as what is left still fails. */
async function shortened(steps: readonly Step[], playing: typeof play): Promise<readonly Step[]> {
  let left = steps;
  for (let size = Math.ceil(left.length / 2); size >= 1;) {
    const before = left.length;
    for (let at = 0; at < left.length;) {
      const without = [...left.slice(0, at), ...left.slice(at + size)];
      if ((await said(playing, without)) === undefined) at += size;
      else left = without;
    }
    if (size > 1) size = Math.floor(size / 2);
    else if (left.length === before) return left;
  }
  return left;
}
