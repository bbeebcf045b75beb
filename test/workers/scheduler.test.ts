import { putAgent } from '../../src/commands/agent.js';
import { Contention } from '../../src/commands/decider.js';
import { putRoutine } from '../../src/commands/routines/routine.js';
import { beginning, routineStream, type Recorded } from '../../src/events/event.js';
import type { RoutineEvent } from '../../src/events/routine.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { Bells } from '../../src/workers/bells.js';
import type { Loop } from '../../src/workers/loop.js';
import { scheduler } from '../../src/workers/scheduler.js';
import { until } from '../processes/until.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { FoldedDueRoutines } from './folded-due-routines.js';

const never = new AbortController().signal;

/** Beside these nobody sleeps; they tell for how long somebody wanted to. */
class LightSleep extends Bells {
  readonly waits: number[] = [];

  override async wait(_: string, ms: number): Promise<void> {
    this.waits.push(ms);
  }
}

describe('the scheduler', () => {
  let ledger: VirtualLedger;
  let bells: LightSleep;
  let warnings: string[];
  let failures: Map<string, Error>;
  let sent: string[];
  let loop: Loop;

  beforeEach(async () => {
    ledger = new VirtualLedger();
    bells = new LightSleep();
    warnings = [];
    sent = [];
    failures = new Map();
    loop = schedulerOf(ledger);
    await ledger.send(putAgent, { agent: 'fixer' });
  });

  function schedulerOf(of: VirtualLedger) {
    const { store, clock } = of.ports;
    const send: VirtualLedger['send'] = async (kind, fields, context) => {
      const routine = 'routine' in fields ? String(fields.routine) : '';
      sent.push(routine);
      const failure = failures.get(routine);
      if (failure) throw failure;
      return of.send(kind, fields, context);
    };
    const log = { warn: (sentence: string) => void warnings.push(sentence) };
    return scheduler({ store, clock, bells, log, dispatch: { send }, dueRoutines: new FoldedDueRoutines(store) });
  }

  const define = (routine: string, fields: object = {}, cron = '* * * * *') =>
    ledger.send(putRoutine, {
      routine,
      title: routine,
      agent: 'fixer',
      triggers: [{ id: 'tick', kind: 'schedule', cron }],
      ...fields,
    });

  const events = (routine: string): Promise<Recorded<RoutineEvent>[]> =>
    ledger.ports.store.readStream<RoutineEvent>(routineStream('acme', routine));
  const slots = async (routine: string) =>
    (await events(routine)).flatMap(({ type, data }) => (type === 'RoutineFired' ? [data.slot?.slice(11, 16)] : []));

  it('sleeps until the next slot, five seconds at most', async () => {
    await define('report');
    await loop.turn(never);
    ledger.clock.set('12:00:58');
    await loop.turn(never);
    expect(bells.waits).toEqual([5_000, 2_000]);
    expect(sent).toEqual([]);
  });

  it('fires each slot at its time, as the scheduler', async () => {
    await define('report');
    for (const clock of ['12:01', '12:02', '12:03']) {
      ledger.clock.set(clock);
      await loop.turn(never);
    }
    expect(await slots('report')).toEqual(['12:01', '12:02', '12:03']);
    expect((await events('report')).find(({ type }) => type === 'RoutineFired')?.metadata.actor).toEqual({
      type: 'system',
      id: 'scheduler',
    });
  });

  it('makes up for a leap of the clock as the routine says, and has nothing twice after one back', async () => {
    await define('newest');
    await define('all', { catchUp: 'enqueue_missed_with_cap' });
    ledger.clock.set('12:40');
    await loop.turn(never);
    expect(await slots('newest')).toEqual(['12:40']);
    expect(await slots('all')).toHaveLength(25);
    for (const clock of ['12:10', '12:20', '12:40']) {
      ledger.clock.set(clock);
      await loop.turn(never);
    }
    expect(await slots('newest')).toEqual(['12:40']);
    ledger.clock.set('12:41');
    await loop.turn(never);
    expect(await slots('newest')).toEqual(['12:40', '12:41']);
    expect((await slots('all')).slice(-2)).toEqual(['12:40', '12:41']);
  });

  it('fires the new slots of a routine whose slots of that time were fired before the clock went back', async () => {
    await define('report');
    ledger.clock.set('12:01');
    await loop.turn(never);
    ledger.clock.set('12:00');
    await define('report', {}, '*/1 * * * *');
    ledger.clock.set('12:01');
    await settled(() => slots('report'), ['12:01', '12:01']);
  });

  it('fires each slot once, however many schedulers there are', async () => {
    const others = [ledger.another(), ledger.another()].map(schedulerOf);
    for (let n = 0; n < 210; n++) await define(`routine-${n}`);
    ledger.clock.set('12:01');
    while ((await fired()) < 210) await Promise.all([loop, ...others].map((one) => one.turn(never)));
    for (const one of [loop, ...others]) await one.turn(never);
    expect(await fired()).toBe(210);
  });

  it('goes through a storm in batches, the longest due first', async () => {
    for (let n = 0; n < 430; n++) await define(`storm-${n}`);
    ledger.clock.set('12:01:30');
    await define('late');
    ledger.clock.set('12:02');
    await loop.turn(never);
    expect(sent).toHaveLength(200);
    await loop.turn(never);
    expect(sent).toHaveLength(400);
    await loop.turn(never);
    expect(await fired()).toBe(431);
    expect(sent.at(-1)).toBe('late');
  });

  it('does not let a routine that cannot be fired hold up the others, and speaks of it once', async () => {
    for (const routine of ['one', 'two', 'three']) await define(routine);
    failures.set('one', new Contention('too many writers'));
    for (const clock of ['12:01', '12:02', '12:03']) {
      ledger.clock.set(clock);
      await loop.turn(never);
    }
    expect(await slots('one')).toEqual([]);
    expect(await slots('two')).toEqual(['12:01', '12:02', '12:03']);
    expect(warnings).toEqual(['the scheduler tries again later: one of acme: too many writers']);
    failures.clear();
    await settled(() => slots('one'), ['12:03']);
  });

  it('lies down when nothing but what was tried just now is due', async () => {
    await define('report');
    failures.set('report', new Contention('too many writers'));
    ledger.clock.set('12:01');
    for (let n = 0; n < 5; n++) await loop.turn(never);
    expect(sent).toHaveLength(1);
    expect(bells.waits).toHaveLength(4);
    await settled(async () => sent.length, 3);
    expect(warnings).toHaveLength(1);
  });

  it('fires what more routines than a batch holds cannot keep it from', async () => {
    for (let n = 0; n < 210; n++) {
      await define(`broken-${n}`);
      failures.set(`broken-${n}`, new Contention('too many writers'));
    }
    ledger.clock.set('12:01:30');
    await define('whole');
    ledger.clock.set('12:02');
    await settled(() => slots('whole'), ['12:02']);
  });

  it('ends its round when the store is away', async () => {
    for (let n = 0; n < 30; n++) {
      await define(`routine-${n}`);
      failures.set(`routine-${n}`, new StoreUnavailable('away'));
    }
    ledger.clock.set('12:01');
    await expect(loop.turn(never)).rejects.toThrow(StoreUnavailable);
    expect(sent.length).toBeLessThan(30);
    expect(warnings).toEqual([]);
  });

  async function fired(): Promise<number> {
    const log = await ledger.ports.store.readAll({ after: beginning, limit: 1_000_000, types: ['RoutineFired'] });
    return log.length;
  }

  /** Turns it until this is so; what has failed is tried again after a while. */
  const settled = (look: () => Promise<unknown>, wanted: unknown) =>
    until(JSON.stringify(wanted), async () => {
      await loop.turn(never);
      return JSON.stringify(await look()) === JSON.stringify(wanted);
    });
});
