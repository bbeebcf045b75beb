import { Contention } from '../../../src/commands/decider.js';
import { fireDueSlots } from '../../../src/commands/routines/due-slots.js';
import type { FireView } from '../../../src/commands/routines/fire-view.js';
import { fireRoutine } from '../../../src/commands/routines/fire.js';
import { pauseRoutine } from '../../../src/commands/routines/routine.js';
import { setTaskStatus } from '../../../src/commands/task.js';
import { FaultyStore } from '../../event-store/faulty.js';
import { FiredLedger } from './fired-ledger.js';

describe('a fire is answered with what came of it', () => {
  it('a task of its own', async () => {
    const ledger = await FiredLedger.begin();
    const { position } = await ledger.send(fireRoutine, { routine: 'nightly' });
    expect(position).toBe(await ledger.ports.store.head());
    expect((await ledger.routine()).pending).toEqual([]);
    expect(await ledger.lane('nightly~1')).toMatchObject({ kind: 'routine', assignee: 'fixer', open: [{ status: 'queued' }] });
  });

  it('a task that another fire has opened', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', into: 'nightly@1', task: 'nightly~1', run: 'nightly~1.1' });
    await ledger.claim('fixer');
    expect(await ledger.fire()).not.toHaveProperty('run');
  });

  it('none, where the task is at work and that is the rule', async () => {
    const ledger = await FiredLedger.begin({ concurrency: 'skip_if_active' });
    await ledger.fire();
    expect(await ledger.fire()).toMatchObject({ outcome: 'skipped', code: 'task_active', task: 'nightly~1' });
  });

  it('a task that was closed and is open again, though the policy is no further than its closing', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    await ledger.react();
    for (const status of ['done', 'todo']) await ledger.send(setTaskStatus, { task: 'nightly~1', status });
    let left = 1;
    ledger.reactions.beforeStep = ({ policy, about }) => {
      if (policy === 'routines' && about === 'reaction' && left-- <= 0) throw new Killed();
    };
    await expect(ledger.react()).rejects.toBeInstanceOf(Killed);
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', task: 'nightly~1' });
  });

  it('a task of its own after all, where the other one was closed unseen', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    await ledger.send(setTaskStatus, { task: 'nightly~1', status: 'done' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'created', task: 'nightly~2', run: 'nightly~2.1' });
    expect(await ledger.fires()).toContain('FireRedirected nightly@2');
  });

  it('the same, asked for twice under one commandId', async () => {
    const ledger = await FiredLedger.begin();
    const commandId = 'asked for';
    const first = await ledger.send(fireRoutine, { routine: 'nightly' }, { commandId });
    const again = await ledger.send(fireRoutine, { routine: 'nightly' }, { commandId });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await ledger.another().send(fireRoutine, { routine: 'nightly' }, { commandId })).toEqual(again);
  });

  it('a refusal, which names the fire that records it, however often', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.send(pauseRoutine, { routine: 'nightly' });
    const asked = () => ledger.fire({ trigger: 'button' }, 'asked for');
    await expect(asked()).rejects.toMatchObject({ code: 'routine_paused', fire: 'nightly@1' });
    await expect(asked()).rejects.toMatchObject({ code: 'routine_paused', fire: 'nightly@1' });
    expect(await ledger.fires()).toEqual(['RoutineFired nightly@1', 'FireSuppressed nightly@1']);
  });
});

describe('slots that are caught up', () => {
  const hourly = { id: 'hourly', kind: 'schedule', cron: '0 * * * *' };
  const caughtUp = async (concurrency: string) => {
    const ledger = await FiredLedger.begin({ concurrency, catchUp: 'enqueue_missed_with_cap', triggers: [hourly] });
    ledger.clock.advance(40 * 60 * 60 * 1_000);
    const { fires, missed } = await ledger.answer(fireDueSlots, { routine: 'nightly' });
    await ledger.expectEachSettledOnce();
    return { ledger, missed, outcomes: fires.map(({ outcome }) => outcome) };
  };
  const others = (outcome: string) => ['created', ...Array.from({ length: 24 }, () => outcome)];

  it.each([
    ['coalesce_if_active', others('coalesced'), 1],
    ['skip_if_active', others('skipped'), 1],
    ['always_enqueue', others('created'), 25],
  ])('by %s come one after the other', async (concurrency, expected, tasks) => {
    const { ledger, missed, outcomes } = await caughtUp(concurrency);
    expect([missed, outcomes]).toEqual([15, expected]);
    expect(await ledger.tasks()).toHaveLength(tasks);
  });

  it('are fired once by several schedulers', async () => {
    const ledger = await FiredLedger.begin({ triggers: [hourly] });
    ledger.clock.advance(60 * 60 * 1_000);
    const other = ledger.another();
    const schedulers = [ledger, other, other.another()];
    await Promise.all(schedulers.map((one) => one.send(fireDueSlots, { routine: 'nightly' })));
    expect((await ledger.fires()).filter((line) => line.startsWith('RoutineFired'))).toEqual(['RoutineFired nightly@1']);
  });
});

describe('ten fires at once', () => {
  /** As clients do who are told that too many others were faster. */
  async function insist(ledger: Pick<FiredLedger, 'send'>, commandId: string): Promise<FireView> {
    for (;;) {
      try {
        return (await ledger.send(fireRoutine, { routine: 'nightly' }, { commandId })).answer.fire;
      } catch (error) {
        if (!(error instanceof Contention)) throw error;
      }
    }
  }

  const tenOf = (ledgers: readonly Pick<FiredLedger, 'send'>[], commandId?: string) =>
    Promise.all(Array.from({ length: 10 }, (_, n) => insist(ledgers[n % ledgers.length]!, commandId ?? `key ${n}`)));

  it.each([1, 2])('with one commandId are one, in %d processes', async (processes) => {
    const ledger = await FiredLedger.begin();
    const answers = await tenOf([ledger, ledger.another()].slice(0, processes), 'one key');
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(['nightly@1']));
    expect(await ledger.fires()).toEqual(['RoutineFired nightly@1', 'FireCreated nightly@1']);
  });

  it('are ten, and one task', async () => {
    const ledger = await FiredLedger.begin();
    const answers = await tenOf([ledger]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['created', ...Array.from({ length: 9 }, () => 'coalesced')]);
    expect(await ledger.tasks()).toEqual(['nightly~1']);
    await ledger.expectEachSettledOnce();
  });

  it('are ten, and one task, in several processes', async () => {
    const ledger = await FiredLedger.begin();
    const other = ledger.another();
    await tenOf([ledger, other, other.another()]);
    await ledger.react();
    expect(await ledger.tasks()).toEqual(['nightly~1']);
    expect((await ledger.fires()).filter((line) => line.startsWith('FireCoalesced'))).toHaveLength(9);
    await ledger.expectEachSettledOnce();
  });

  it('are ten tasks where each is to have its own', async () => {
    const ledger = await FiredLedger.begin({ concurrency: 'always_enqueue' });
    await tenOf([ledger]);
    expect(await ledger.tasks()).toHaveLength(10);
    expect(await ledger.claim('fixer')).toHaveLength(5);
    await ledger.expectEachSettledOnce();
  });
});

class Killed extends Error {}

/** What led to where the fire is carried out from, and the appends that it takes there. */
const chains: readonly [string, number, (ledger: FiredLedger) => Promise<unknown>][] = [
  ['opens a task', 3, async () => {}],
  ['joins a task', 3, (ledger) => ledger.fire()],
  [
    'finds its task closed',
    5,
    async (ledger) => {
      await ledger.fire();
      await ledger.send(setTaskStatus, { task: 'nightly~1', status: 'done' });
    },
  ],
];
const cuts = chains.flatMap(([what, appends, before]) =>
  Array.from({ length: appends + 1 }, (_, n) => [what, n, appends, before] as const),
);

describe('a fire is carried out once', () => {
  /** Where the process ends after so many appends: nothing that it asks for later is done. */
  async function cut(ledger: FiredLedger, after: number, fields = {}): Promise<void> {
    let left = after;
    const store = new FaultyStore(ledger.ports.store);
    store.beforeAppend = async () => {
      if (left-- <= 0) throw new Killed();
    };
    const process = new FiredLedger(ledger.clock, store);
    await process.fire(fields, 'the fire').catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
  }

  it.each(cuts)('by the policy, where the process that %s is killed after %d of %d appends', async (_, after, __, before) => {
    const ledger = await FiredLedger.begin();
    await before(ledger);
    const fires = (await ledger.routine()).fires;
    await cut(ledger, after);
    await ledger.react();
    ledger.reactions.forgetCheckpoints();
    expect(await ledger.react()).toBe(0);
    expect((await ledger.routine()).fires).toBe(after === 0 ? fires : fires + 1);
    expect((await ledger.routine()).pending).toEqual([]);
    await ledger.expectEachSettledOnce();
  });

  it.each(cuts)(
    'by its sender, where the process that %s is killed after %d of %d appends',
    async (_, after, appends, before) => {
      const ledger = await FiredLedger.begin();
      await before(ledger);
      const fires = (await ledger.routine()).fires;
      await cut(ledger, after);
      const length = (await ledger.log()).length;
      expect((await ledger.fire({}, 'the fire')).outcome).not.toBe('pending');
      expect((await ledger.routine()).fires).toBe(fires + 1);
      await ledger.expectEachSettledOnce();
      expect((await ledger.log()).length === length).toBe(after === appends);
    },
  );

  it('is answered as pending where the store goes away behind it, and settled when that is back', async () => {
    const ledger = await FiredLedger.begin();
    for (const lost of [1, 2]) {
      let appends = 0;
      ledger.faulty.beforeAppend = async () => {
        if (++appends > lost) ledger.faulty.appendsToLose = 1;
      };
      const fired = await ledger.fire({ payload: { lost } });
      ledger.faulty.beforeAppend = async () => {};
      expect(fired).toMatchObject({ outcome: 'pending', task: `nightly~${lost}` });
      expect((await ledger.routine()).pending.map(({ fire }) => fire)).toEqual([fired.id]);
      await ledger.react();
      expect(await ledger.fires()).toContain(`FireCreated ${fired.id}`);
    }
    await ledger.expectEachSettledOnce();
  });

  it('though its title is much longer with the marks of what was redacted', async () => {
    const ledger = await FiredLedger.begin({ title: '{{what}}', variables: [{ name: 'what' }] });
    await cut(ledger, 1, { variables: { what: '://:x@'.repeat(33) } });
    await ledger.react();
    expect(await ledger.fires()).toContain('FireCreated nightly@1');
    expect((await ledger.lane('nightly~1')).title).toHaveLength(500);
  });

  it('though a fire that was cut off was to open its task', async () => {
    const ledger = await FiredLedger.begin();
    await cut(ledger, 1);
    expect(await ledger.tasks()).toEqual([]);
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', task: 'nightly~1', into: 'nightly@1' });
    await ledger.react();
    expect(await ledger.fires()).toContain('FireCreated nightly@1');
    await ledger.expectEachSettledOnce();
  });
});
