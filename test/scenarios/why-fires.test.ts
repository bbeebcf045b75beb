import { until } from '../projections/until.js';
import type { Body } from '../server.js';
import { Scene } from './why-scene.js';

const rateLimited = { outcome: 'failed', error: '429 rate limited', errorFamily: 'transient_upstream' };

describe('why a fire came to what it came to', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.at({ roles: ['api', 'projector', 'policies', 'promoter', 'reaper'] });
    await scene.send('PUT', 'agents/tester', { name: 'tester' });
  });
  afterAll(() => scene.server.stop());

  const define = (routine: string, over: object = {}): Promise<Body> =>
    scene.send('PUT', `routines/${routine}`, {
      title: 'Test it',
      agent: 'tester',
      triggers: [{ id: 'deploy', kind: 'api' }],
      ...over,
    });
  const fire = (routine: string, body: object = {}): Promise<Body> => scene.send('POST', `routines/${routine}/fire`, body);
  const refused = async (routine: string): Promise<Body> =>
    (await scene.server.api('POST', `routines/${routine}/fire`, { trigger: 'deploy' })).body;

  it('ROUTINE_SUPPRESSED: the routine is paused, until it is resumed as the reason says', async () => {
    await define('paused');
    await scene.send('POST', 'routines/paused/pause', { reason: 'holidays' });
    expect(await refused('paused')).toMatchObject({ code: 'routine_paused' });
    const reason = await scene.reason('routines/paused/fires/paused@1', 'ROUTINE_SUPPRESSED');
    expect(reason).toMatchObject({ clearedBy: 'whoever resumes paused', action: 'ledger routines resume paused' });
    expect(reason.sentence).toMatch(/^nothing comes of paused@1 \(routine_paused\): paused is paused since .*: holidays$/);
    expect(await scene.told('why paus@1', 'table')).toMatch(/paused@1 is suppressed\n.*ROUTINE_SUPPRESSED.*→ ledger routines/s);
    await scene.carryOut(reason);
    const lifted = await scene.reason('routines/paused/fires/paused@1', 'ROUTINE_SUPPRESSED');
    expect(lifted.action).toBe('ledger routines fire paused');
    await scene.carryOut(lifted);
    expect((await scene.why('routines/paused/fires/paused@2')).status).toBe('created');
    await scene.work('tester', { outcome: 'succeeded' });
  });

  it('follows what was fired to its run and on, as the task and the run tell it', async () => {
    await define('followed');
    await fire('followed');
    const first = 'routines/followed/fires/followed@1';
    expect(await scene.codes(first)).toEqual(['DONE', ...(await scene.codes('runs/followed~1.1'))]);
    await scene.work('tester', rateLimited);
    expect(await scene.codes(first)).toEqual(['DONE', 'DONE', 'DUE_LATER']);
    await fire('followed');
    expect(await scene.codes('routines/followed/fires/followed@2')).toEqual(['COALESCED_INTO', 'DUE_LATER']);
    await scene.send('POST', 'tasks/followed~1/status', { status: 'cancelled' });
    const sentence = async () => (await scene.why('routines/followed/fires/followed@2')).reasons[0]!.sentence;
    await until('it is said how the task ended', async () =>
      (await sentence()).endsWith('which followed@1 has opened, and which is cancelled'),
    );
  });

  it('says what a fire waits for that came to an agent at work', async () => {
    await define('busy');
    await fire('busy');
    const claimed = await scene.claim('tester');
    await fire('busy');
    expect(await scene.codes('routines/busy/fires/busy@2')).toEqual(['COALESCED_INTO', 'BEHIND_RUN']);
    await scene.finish(claimed!, { outcome: 'succeeded' });
    expect(await scene.codes('routines/busy/fires/busy@2')).toContain('COALESCED_INTO');
  });

  it('follows what failed on its task, which tells what would do', async () => {
    await scene.send('PUT', 'agents/clockwork', { name: 'clockwork', policy: { wakeOnDemand: false } });
    await define('failing', { agent: 'clockwork' });
    await fire('failing');
    const [first, ...others] = await scene.codes('routines/failing/fires/failing@1');
    expect(first).toBe('NON_RETRYABLE');
    expect(others).toEqual(await scene.codes('tasks/failing~1'));
  });

  it('explains nothing of what was refused, since it was no fire', async () => {
    await define('strict', { variables: [{ name: 'branch', type: 'text', required: true }], title: 'Test {{branch}}' });
    expect(await scene.exitOf('routines fire strict')).not.toBe(0);
    expect(await scene.exitOf('why strict@1')).toBe(3);
  });

  it.each(['nightly@1', 'paused@99', '@1', 'paused@x'])('finds no fire %s', async (id) =>
    expect([2, 3]).toContain(await scene.exitOf(`why ${id}`)),
  );

  it('tells in the replay of its task which fire has opened it, and that the routine led to it', async () => {
    const { items } = await scene.send('GET', 'tasks/followed~1/replay');
    const taken = Object.values(items!).filter(({ type }) => (type as unknown) === 'FireTaken');
    expect(taken.map(({ sentence }) => sentence as unknown)).toEqual([
      'followed~1 is opened by followed@1',
      'followed@2 has come to followed~1 as well, and wakes its agent',
    ]);
    const [opening] = Object.values(items!);
    expect(opening!.cause as unknown).toMatchObject({ kind: 'policy', command: 'TakeFire', event: { type: 'RoutineFired' } });
  });
});
