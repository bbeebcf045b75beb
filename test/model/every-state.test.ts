import { pass } from './play.js';
import type { Step } from './steps.js';

const isLong = process.env.LEDGER_TEST_LONG !== undefined;
const task = 'ACME-1';

/** One task of two agents; its first run waits to be claimed by fixer. */
const alphabet: readonly Step[] = [
  { do: 'wake', agent: 'fixer', task, by: 'person', source: 'on_demand' },
  { do: 'wake', agent: 'fixer', task, by: 'system', source: 'on_demand' },
  { do: 'comment', task, by: 'person', mentions: ['reviewer'] },
  { do: 'comment', task, by: 'reviewer', mentions: [] },
  { do: 'claim', agent: 'fixer' },
  { do: 'claim', agent: 'reviewer' },
  { do: 'finish', task, ending: { outcome: 'succeeded' } },
  { do: 'finish', task, ending: { outcome: 'failed', errorFamily: 'transient_upstream' } },
  { do: 'finish', task, ending: { outcome: 'timed_out' } },
  { do: 'cancelRun', task, pick: 0, intent: 'requeue' },
  { do: 'setStatus', task, status: 'done', by: 'person' },
  { do: 'assign', task, agent: 'reviewer', by: 'person' },
  { do: 'setBlockers', task, blockedBy: ['ACME-2'] },
  { do: 'pause', agent: 'fixer', interrupt: true },
  { do: 'resume', agent: 'fixer' },
  { do: 'advance', ms: 61_000 },
  { do: 'reap' },
  { do: 'promote' },
];

/** Breadth first, so that what fails is among the shortest that do. */
it('does what the reference does in every state that a few steps lead to', async () => {
  const seen = new Set<string>();
  let paths: (readonly Step[])[] = [[]];
  for (let depth = 1; depth <= (isLong ? 5 : 4); depth++) {
    const further: (readonly Step[])[] = [];
    for (const path of paths)
      for (const step of alphabet) {
        const { wrong, state } = await pass([...path, step]);
        if (wrong !== undefined) throw new Error(`${wrong}\n${[...path, step].map((each) => JSON.stringify(each)).join(',\n')}`);
        if (seen.has(state)) continue;
        seen.add(state);
        further.push([...path, step]);
      }
    paths = further;
  }
  expect(seen.size).toBeGreaterThan(1_000);
}, 3_600_000);
