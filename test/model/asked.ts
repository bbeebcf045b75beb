import fc from 'fast-check';
import { brokenAtTheEnd, brokenOf, leftBehind } from './invariants.js';
import { isUnfinished, letGo, workOff } from './play.js';
import { Reference, standOf } from './reference.js';
import { Rig } from './rig.js';
import type { Ending, Step } from './steps.js';
import type { VirtualLedger } from '../virtual-ledger.js';
import { menus } from './drawn.js';

/** A step that is asked of both; then they stand alike, and the laws hold. */
class Asked implements fc.AsyncCommand<Reference, Rig> {
  constructor(private readonly step: Step) {}

  check = (): boolean => true;

  async run(reference: Reference, rig: Rig): Promise<void> {
    const expected = reference.do(this.step);
    expect(await rig.do(this.step)).toBe(expected);
    if (!this.step.lag) {
      reference.react();
      await rig.react();
    }
    expect(rig.stand()).toEqual(standOf(reference));
    expect(brokenOf(rig)).toBeUndefined();
  }

  toString = (): string => JSON.stringify(this.step);
}

/** Half as many on average: sequences of every length are drawn up to this one. */
export const sequences = (longest: number) =>
  fc.oneof(...menus.map((step) => fc.commands([step.map((each) => new Asked(each))], { maxCommands: longest, size: 'max' })));

/** How every run ends once nothing stands in the way any more; what is handed back each time never ends. */
export const lastEnding = fc.constantFrom<Ending>(
  { outcome: 'succeeded' },
  { outcome: 'timed_out' },
  { outcome: 'failed', errorFamily: 'transient_upstream' },
  { outcome: 'failed', errorFamily: 'process_lost' },
  { outcome: 'failed', errorFamily: 'bug' },
);

/** Asks the ledger and the reference the same, and then lets everything come to its end: in finitely many steps, and nothing is left. */
export async function playThrough(
  steps: Iterable<fc.AsyncCommand<Reference, Rig>>,
  ending: Ending,
  ledger?: VirtualLedger,
): Promise<void> {
  const both = { model: new Reference(), real: await Rig.open(ledger) };
  await fc.asyncModelRun(() => both, steps);
  await askAll(letGo, both);
  for (let round = 0; isUnfinished(both.real); round++) {
    expect(round).toBeLessThan(mostRounds);
    await askAll(
      workOff.map((step) => (step.do === 'finish' ? { ...step, ending } : step)),
      both,
    );
  }
  expect(await leftBehind(both.real)).toBeUndefined();
  expect(await brokenAtTheEnd(both.real)).toBeUndefined();
}

/** A chain is executed at most four times, and what follows it at most as often. */
const mostRounds = 20;

async function askAll(steps: readonly Step[], { model, real }: { model: Reference; real: Rig }): Promise<void> {
  for (const step of steps) await new Asked(step).run(model, real);
}
