import fc from 'fast-check';
import { lastEnding, playThrough, sequences } from './asked.js';
import { MortalLedger } from './mortal.js';
import { isLong, seed } from './seed.js';

const { runs, longest } = isLong ? { runs: 20_000, longest: 240 } : { runs: 500, longest: 120 };

/** How many moments each process lives; the one after them is not killed any more. */
const lives = fc.array(fc.nat({ max: 40 }), { maxLength: 40, size: 'max' });
let deaths = 0;

it('does what the reference does, although its process is killed at any moment', async () => {
  await fc.assert(
    fc.asyncProperty(sequences(longest), lastEnding, lives, async (steps, ending, moments) => {
      const ledger = new MortalLedger(moments.values());
      await playThrough(steps, ending, ledger);
      deaths += ledger.deaths;
    }),
    { numRuns: Number(process.env.N ?? runs), seed },
  );
  expect(deaths).toBeGreaterThan(runs);
}, 36_000_000);
