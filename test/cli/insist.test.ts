import { insist } from '../../src/cli/insist.js';
import { Problem, Unanswered } from '../../src/cli/problem.js';

const pauses = [1, 2] as const;

/** Answers with these errors first. */
function failing(...errors: Error[]) {
  let calls = 0;
  return {
    work: () => Promise.resolve(errors[calls++]).then((error) => (error ? Promise.reject(error) : 'done')),
    calls: () => calls,
  };
}

describe('insisting', () => {
  it('sends again what was not answered, or refused only for now', async () => {
    const { work, calls } = failing(
      new Unanswered('nobody', true),
      new Problem(503, { code: 'contention' }),
      new Problem(500, {}),
    );
    await expect(insist(work, { pauses })).resolves.toBe('done');
    expect(calls()).toBe(4);
  });

  it('takes a refusal for an answer', async () => {
    const { work, calls } = failing(new Problem(409, { code: 'stale_lease' }));
    await expect(insist(work, { pauses })).rejects.toThrow(Problem);
    expect(calls()).toBe(1);
  });

  it('ends when its time is up', async () => {
    const { work } = failing(...Array.from({ length: 1_000 }, () => new Unanswered('nobody', true)));
    await expect(insist(work, { pauses, forMs: 20 })).rejects.toThrow('nobody');
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const { work } = failing(...Array.from({ length: 1_000 }, () => new Unanswered('nobody', true)));
    await expect(
      insist(work, { pauses, signal: stop.signal, onFailure: (_, tries) => tries === 3 && stop.abort() }),
    ).rejects.toThrow('nobody');
  });
});
