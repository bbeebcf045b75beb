import { Lanes } from '../../src/event-store/lanes.js';

/** Work that ends when it is told to, and lanes in which it was begun. */
function work(lanes: Lanes) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const add = (lane: string, weight = 1) =>
    lanes.do(lane, weight, () => {
      begun.push(lane);
      return new Promise<string>((done) => ends.push(() => done(lane)));
    });
  return { begun, add, endFirst: () => ends.shift()?.() };
}

const soon = () => new Promise(setImmediate);

describe('lanes', () => {
  it('let work of different lanes go side by side, and work of one lane one after the other', async () => {
    const { begun, add, endFirst } = work(new Lanes(10, 100));
    const done = ['a', 'b', 'a', 'a'].map((lane) => add(lane));
    await soon();
    expect(begun).toEqual(['a', 'b']);
    endFirst();
    await soon();
    expect(begun).toEqual(['a', 'b', 'a']);
    for (let i = 0; i < 3; i += 1) {
      endFirst();
      await soon();
    }
    expect(await Promise.all(done)).toEqual(['a', 'b', 'a', 'a']);
  });

  it('keep to so many at once, and to so much, but for one that is more than that alone', async () => {
    const { begun, add, endFirst } = work(new Lanes(2, 100));
    void add('huge', 1_000);
    for (const [lane, weight] of [['a', 60] as const, ['b', 40] as const, ['c', 1] as const, ['d', 100] as const])
      void add(lane, weight);
    const after = async () => {
      endFirst();
      await soon();
      return begun.at(-1);
    };
    await soon();
    expect(begun).toEqual(['huge']);
    await after();
    expect(begun).toEqual(['huge', 'a', 'b']);
    expect([await after(), await after(), await after()]).toEqual(['c', 'c', 'd']);
  });

  it('go on behind work that failed, and are idle when all is done', async () => {
    const lanes = new Lanes(1, 100);
    const failed = lanes.do('a', 1, () => Promise.reject(new Error('lost'))).catch((error: Error) => error.message);
    const next = lanes.do('a', 1, async () => 'done');
    await lanes.idle();
    expect([await failed, await next]).toEqual(['lost', 'done']);
    await lanes.idle();
  });
});
