import { PassThrough } from 'node:stream';
import { ProgressBar, type Work } from '../../src/cli/progress-bar.js';

/** What is left of a terminal, or a pipe, as text. */
function shown(works: readonly Work[], terminal?: { columns: number }): string {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), terminal && { isTTY: true, ...terminal });
  const bar = new ProgressBar(false, stream as unknown as NodeJS.WriteStream);
  for (const work of works) bar.show(work);
  bar.end();
  return String(stream.read() ?? '').replaceAll('\r\u001b[K', '|');
}

const verify = { name: 'audit verify', progress: { done: 512, total: 2_048 } };
const rebuild = {
  name: 'tasks_v1_g2',
  phase: 'catching_up',
  paused: false,
  progress: { done: 1_000, total: 2_000, rate: 500, etaSeconds: 2 },
};

it('is drawn over and over on a terminal, and nothing of it is left there', () => {
  expect(shown([verify], { columns: 120 })).toBe(`|audit verify ${'█'.repeat(6)}${'░'.repeat(18)} 25 %, 512 of 2,048 events|`);
  expect(shown([rebuild], { columns: 120 })).toBe(
    `|tasks_v1_g2 catching up ${'█'.repeat(12)}${'░'.repeat(12)} 50 %, 1,000 of 2,000 events, 500/s, 2s left|`,
  );
  expect(shown([{ ...rebuild, paused: true, progress: { ...rebuild.progress, total: 0 } }], { columns: 120 })).toBe(
    '|tasks_v1_g2 paused|',
  );
});

it('is never wrapped', () => {
  expect(shown([verify], { columns: 40 })).toBe(`|audit verify ${'█'.repeat(6)}${'░'.repeat(18)}|`);
});

it('is a line of JSON for each phase where there is no terminal', () => {
  const lines = shown([rebuild, rebuild, { ...rebuild, phase: 'comparing' }, { ...rebuild, phase: 'comparing', paused: true }]);
  expect(
    lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { progress: 'tasks_v1_g2', phase: 'catching_up', done: 1_000, total: 2_000 },
    { phase: 'comparing', paused: false },
    { phase: 'comparing', paused: true },
  ]);
});

it('says nothing of work without phases that is soon done', () => {
  expect(shown([verify, verify])).toBe('');
});
