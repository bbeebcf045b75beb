import fc from 'fast-check';
import { policiesOfTheLedger } from '../../src/policies/all.js';
import { lastEnding } from './asked.js';
import { menus } from './drawn.js';
import { brokenAtTheEnd, brokenOf, leftBehind } from './invariants.js';
import { isUnfinished, letGo, workOff } from './play.js';
import { Rig } from './rig.js';
import type { Step } from './steps.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { isLong, seed } from './seed.js';

const { runs, longest } = isLong ? { runs: 20_000, longest: 240 } : { runs: 300, longest: 120 };

/** Two servers, each of which knows of the other what it has read, and whose policies come by in an order of their own. */
class Servers {
  readonly rig: Rig;
  private readonly both: readonly VirtualLedger[];

  private constructor(rig: Rig) {
    this.rig = rig;
    this.both = [rig.ledger, rig.ledger.another()];
  }

  static open = async (): Promise<Servers> => new Servers(await Rig.open());

  async do(step: Step, { by, reacting }: Omit<Told, 'step'>): Promise<void> {
    const ledger = this.both[by]!;
    this.rig.ledger = ledger;
    await this.rig.do(step);
    const policies = reacting.map((place) => policiesOfTheLedger[place]!);
    const { store } = ledger.ports;
    await ledger.reactions.react({ store, send: (...command) => ledger.send(...command) }, policies);
    await this.rig.follow();
    expect(brokenOf(this.rig)).toBeUndefined();
  }
}

interface Told {
  readonly step: Step;
  readonly by: number;
  /** which of the policies, and in which order */
  readonly reacting: readonly number[];
}

class Asked implements fc.AsyncCommand<object, Servers> {
  constructor(private readonly told: Told) {}

  check = (): boolean => true;
  run = (_: object, servers: Servers): Promise<void> => servers.do(this.told.step, this.told);
  toString = (): string => JSON.stringify(this.told);
}

const places = policiesOfTheLedger.map((_, place) => place);
const by = fc.nat({ max: 1 });
const reacting = fc.shuffledSubarray(places);
const sequences = fc.oneof(
  ...menus.map((step) =>
    fc.commands([fc.record({ step, by, reacting }).map((told) => new Asked(told))], { maxCommands: longest, size: 'max' }),
  ),
);

const mostRounds = 20;

it('comes to rest, however little policies and servers know of each other', async () => {
  const property = fc.asyncProperty(sequences, lastEnding, async (commands, ending) => {
    const servers = await Servers.open();
    const { rig } = servers;
    await fc.asyncModelRun(() => ({ model: {}, real: servers }), commands);
    const last = async (step: Step) => servers.do(step, { by: 0, reacting: places });
    for (const step of letGo) await last(step);
    for (let round = 0; isUnfinished(rig); round++) {
      expect(round).toBeLessThan(mostRounds);
      for (const step of workOff) await last(step.do === 'finish' ? { ...step, ending } : step);
    }
    expect(await leftBehind(rig)).toBeUndefined();
    expect(await brokenAtTheEnd(rig)).toBeUndefined();
  });
  await fc.assert(property, { numRuns: Number(process.env.N ?? runs), seed });
}, 36_000_000);
