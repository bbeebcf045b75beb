import { Gatherer } from '../../src/event-store/gatherer.js';

interface Item {
  stream: string;
  bytes: number;
}

const item = (stream: string, bytes = 100): Item => ({ stream, bytes });
const lanes = (count: number): Item[] => Array.from({ length: count }, (_, i) => item(`lane-${i}`));

/** A gatherer whose calls are written down, and fail as `fail` says. */
function gatherer(fail: (call: readonly Item[]) => Error | undefined = () => undefined) {
  const calls: string[][] = [];
  const send = async (items: readonly Item[]) => {
    calls.push(items.map(({ stream }) => stream));
    await new Promise(setImmediate);
    const error = fail(items);
    if (error) throw error;
    return items.map(({ stream }) => `${stream} stored`);
  };
  const refusal = ({ stream }: Item, error: unknown) => (error instanceof RangeError ? `${stream} refused` : undefined);
  return { calls, gathered: new Gatherer<Item, string>({ send, refusal }) };
}

describe('gathering', () => {
  it('sends what comes alone at once, and together what came meanwhile', async () => {
    const { calls, gathered } = gatherer();
    const first = gathered.add(item('first'));
    await Promise.resolve();
    await Promise.resolve();
    const rest = lanes(3).map((lane) => gathered.add(lane));
    expect(await Promise.all([first, ...rest])).toEqual(['first stored', 'lane-0 stored', 'lane-1 stored', 'lane-2 stored']);
    expect(calls).toEqual([['first'], ['lane-0', 'lane-1', 'lane-2']]);
  });

  it('keeps a call to 256 writes and 1 MiB', async () => {
    const { calls, gathered } = gatherer();
    await Promise.all(lanes(600).map((lane) => gathered.add(lane)));
    await Promise.all([400_000, 600_000, 100_000, 1_048_576, 1].map((bytes, i) => gathered.add(item(`big-${i}`, bytes))));
    expect(calls.map(({ length }) => length)).toEqual([256, 256, 88, 2, 1, 1, 1]);
  });

  it('never puts two writes to one stream into one call, and keeps their order', async () => {
    const { calls, gathered } = gatherer();
    const answered: number[] = [];
    const writes = ['a', 'b', 'a', 'a', 'c'].map(async (stream, i) => {
      await gathered.add(item(stream));
      answered.push(i);
    });
    await Promise.all(writes);
    expect(calls).toEqual([['a', 'b', 'c'], ['a'], ['a']]);
    expect(answered).toEqual([0, 1, 4, 2, 3]);
  });

  it('halves a call that fails for its data until the bad write stands alone', async () => {
    const { calls, gathered } = gatherer((items) =>
      items.some(({ stream }) => stream === 'lane-5') ? new RangeError('bad data') : undefined,
    );
    const answers = await Promise.all(lanes(8).map((lane) => gathered.add(lane)));
    expect(answers).toEqual(lanes(8).map(({ stream }) => `${stream} ${stream === 'lane-5' ? 'refused' : 'stored'}`));
    expect(calls.map(({ length }) => length)).toEqual([8, 4, 4, 2, 1, 1, 2]);
  });

  it('fails only the writes of the call whose outcome is unknown, and goes on', async () => {
    const { gathered } = gatherer((items) =>
      items.some(({ stream }) => stream === 'lost') ? new Error('connection lost') : undefined,
    );
    const lost = gathered.add(item('lost')).catch((error: unknown) => error);
    await Promise.resolve();
    await Promise.resolve();
    expect(await gathered.add(item('next'))).toBe('next stored');
    expect(await lost).toEqual(new Error('connection lost'));
  });

  it('is idle once everything is answered', async () => {
    const { gathered } = gatherer();
    let answers = 0;
    for (const lane of lanes(300)) void gathered.add(lane).then(() => (answers += 1));
    await gathered.idle();
    expect(answers).toBe(300);
    await gathered.idle();
  });
});
