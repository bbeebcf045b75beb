import fc from 'fast-check';
import { lastEnding, playThrough, sequences } from './asked.js';
import { isLong, seed } from './seed.js';

const { runs, longest } = isLong ? { runs: 50_000, longest: 240 } : { runs: 1_000, longest: 120 };

it('does what the reference does, whatever is asked', async () => {
  const property = fc.asyncProperty(sequences(longest), lastEnding, (steps, ending) => playThrough(steps, ending));
  await fc.assert(property, { numRuns: runs, seed });
}, 36_000_000);
