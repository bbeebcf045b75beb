import type { Dispatch } from '../../src/commands/dispatch.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { DropParkedReaction, dropReaction } from '../../src/commands/operations/parked-reaction.js';
import { putTask } from '../../src/commands/task.js';
import { taskStream } from '../../src/events/event.js';
import { reaction, type Policy } from '../../src/policies/policy.js';
import { PolicyIndexQueries } from '../../src/projections/policy-index.js';
import { LogPages } from '../../src/projections/projector/log-pages.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { taskGraph } from '../../src/projections/task-graph.js';
import { AllParkedReactions } from '../../src/workers/parked-reactions.js';
import { PolicyRunner } from '../../src/workers/policy-runner.js';
import { examine } from '../../src/doctor.js';
import { PostgresLog } from '../../src/event-store/postgres-log.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { until } from '../processes/until.js';
import { anyProjection } from '../../src/projections/projection.js';
import { ReadSide } from '../projections/read-side.js';
import { VirtualLedger } from '../virtual-ledger.js';

/** Whenever a task is opened, it is held, and whatever is released is held again. */
function holding(before: (task: string) => void = () => {}): Policy {
  const hold = (company: string, task: string, reason: string) => {
    before(task);
    return [reaction(holdTask, { company, task, reason }, taskStream(company, task))];
  };
  return {
    name: 'holding',
    indexes: ['task_graph'],
    on: {
      TaskOpened: ({ company, subject }) => hold(company, subject, 'new'),
      TaskReleased: ({ company, subject, data }) => hold(company, subject, data.reason),
    },
  };
}

let database: TestDatabase;
let store: MemoryEventStore;
let ledger: VirtualLedger;
let side: ReadSide;
let said: string[];
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  database = await freshDatabase();
  store = new MemoryEventStore();
  ledger = new VirtualLedger({ store });
  side = new ReadSide(database.url, store, [anyProjection(taskGraph)]);
  await side.start();
  [said, stops] = [[], []];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await side.stop();
  await database.drop();
});

const sending: Dispatch['send'] = (kind, fields, context) => ledger.send(kind, fields, context);

function run(policy: Policy, { send = sending, of = store }: { send?: Dispatch['send']; of?: MemoryEventStore } = {}) {
  const stopping = new AbortController();
  const pages = new LogPages(of);
  const say = (sentence: string) => void said.push(sentence);
  const runner = new PolicyRunner(policy, {
    db: database.pool,
    store: of,
    pages,
    owners: new Owners(database.pool),
    progress: side.progress,
    index: () => new PolicyIndexQueries(side.readModels),
    dispatch: { send },
    log: { info: say, warn: say, error: say },
    retryParkedMs: 50,
  });
  const running = [pages.follow(stopping.signal), runner.run(stopping.signal)];
  const stop = async () => {
    stopping.abort();
    await Promise.all(running);
  };
  stops.push(stop);
  return { counts: runner.counts, stop };
}

const open = (task: string) => ledger.send(putTask, { task, title: task });
const reasons = async (task: string) =>
  (await ledger.history(task)).flatMap(({ type, data }) => (type === 'TaskHeld' && 'reason' in data ? [data.reason] : []));
const isHeld = (task: string) => until(`${task} is held`, async () => (await reasons(task)).length > 0);
const isAtHead = () =>
  until('the policy has come to the head', async () => (await checkpoint())?.position === (await store.head()));
const checkpoint = async () =>
  (await database.pool.query<{ position: string; halted: string | null }>('select position, halted from policy_checkpoints'))
    .rows[0];
const parked = async () =>
  (await database.pool.query<{ stream: string }>('select stream from parked_reactions order by position, n')).rows.map(
    ({ stream }) => stream,
  );

describe('the runner of a policy', () => {
  it('reacts to what was there and to what comes, as the policy, because of the event and in its chain', async () => {
    await open('ACME-1');
    const { counts } = run(holding());
    await isHeld('ACME-1');
    await open('ACME-2');
    await isHeld('ACME-2');
    const [opened, held] = await ledger.history('ACME-2');
    expect(held!.metadata).toMatchObject({
      actor: { type: 'system', id: 'policy-holding' },
      causationId: opened!.id,
      correlationId: opened!.metadata.correlationId,
    });
    await isAtHead();
    expect(counts).toEqual({ sent: 2, refused: 0, parked: 0 });
    expect(said).toEqual([]);
  });

  it('asks the read models about an event when they have reached it, and not before', async () => {
    await side.stop();
    side = new ReadSide(database.url, store, [anyProjection(taskGraph)]);
    await open('GOAL');
    await ledger.send(putTask, { task: 'ACME-1', title: 'ACME-1', parent: 'GOAL' });
    const parents: (string | null)[] = [];
    run({
      ...holding(),
      on: {
        TaskOpened: async ({ company, subject }, index) => {
          parents.push(await index.parentOf(company, subject));
          return [];
        },
      },
    });
    await until('the policy has begun', checkpoint);
    expect(parents).toEqual([]);
    await side.start();
    await isAtHead();
    expect(parents).toEqual([null, 'GOAL']);
  });

  it('sends again what the store was away for, and skips nothing', async () => {
    let left = 2;
    await open('ACME-1');
    await open('ACME-2');
    const send: Dispatch['send'] = async (...command) => {
      if (left-- > 0) throw new StoreUnavailable('the store is away');
      return sending(...command);
    };
    const { counts } = run(holding(), { send });
    await isHeld('ACME-1');
    await isHeld('ACME-2');
    await isAtHead();
    expect(counts).toEqual({ sent: 2, refused: 0, parked: 0 });
    expect(said).toEqual(['policy holding does not go on: the store is away', 'policy holding goes on']);
  });

  it('does again, to no harm, what it was cut off at between a reaction and its checkpoint', async () => {
    await database.pool.query(
      `create sequence moves;
       create function fail_once() returns trigger language plpgsql as $$
         begin
           if nextval('moves') = 1 then raise exception 'cut off'; end if;
           return new;
         end $$;
       create trigger fail_once before update on policy_checkpoints for each row
         when (new.position > old.position) execute function fail_once()`,
    );
    await open('ACME-1');
    const { counts } = run(holding());
    await isAtHead();
    expect(counts).toEqual({ sent: 2, refused: 0, parked: 0 });
    expect(await reasons('ACME-1')).toEqual(['new']);
    expect(said).toEqual(['policy holding does not go on: cut off', 'policy holding goes on']);
  });

  it('takes a refusal for an answer', async () => {
    await open('ACME-1');
    const strict: Policy = {
      ...holding(),
      on: { TaskOpened: ({ company }) => [reaction(holdTask, { company, task: 'NONE-1' }, taskStream(company, 'NONE-1'))] },
    };
    const { counts } = run(strict);
    await isAtHead();
    expect(counts).toEqual({ sent: 0, refused: 1, parked: 0 });
  });

  it('sets an event aside that the policy fails at, goes on with others, and comes back to it', async () => {
    let isMended = false;
    run(
      holding((task) => {
        if (task === 'ACME-1' && !isMended) throw new Error('no rule for ACME-1');
      }),
    );
    await open('ACME-1');
    await open('ACME-2');
    await isHeld('ACME-2');
    expect(await parked()).toEqual(['task-acme.ACME-1']);
    const checks = await examine({ db: database.pool, store, log: new PostgresLog(database.pool), skewMs: 0 });
    expect(checks.find(({ name }) => name === 'parked reactions')).toMatchObject({
      ok: false,
      sentence: '1 parked; the first: task-acme.ACME-1 by policy holding: Error: no rule for ACME-1',
    });
    isMended = true;
    await isHeld('ACME-1');
    await until('nothing is parked', async () => (await parked()).length === 0);
    await until('it is said', () => said.length === 2);
    expect(said[0]).toMatch(/what TaskOpened at position \d+ leads to on task-acme.ACME-1 is parked, .*no rule for ACME-1/);
    expect(said[1]).toBe('policy holding goes on with task-acme.ACME-1');
  });

  it('sets aside what fails, lets whatever comes later for that stream wait behind it, and sends them in order', async () => {
    let isMended = false;
    const sent: string[] = [];
    const send: Dispatch['send'] = async (kind, fields, context) => {
      if ('reason' in fields && fields.reason === 'new' && !isMended) throw new TypeError('cannot read ACME-1');
      if ('reason' in fields) sent.push(String(fields.reason));
      return sending(kind, fields, context);
    };
    const first = run(holding(), { send });
    await open('ACME-1');
    await until('it is parked', async () => (await parked()).length === 1);
    for (const reason of ['once', 'twice']) {
      await ledger.send(holdTask, { task: 'ACME-1' });
      await ledger.send(releaseTask, { task: 'ACME-1', reason });
    }
    await until('they are parked', async () => (await parked()).length === 3);
    expect(first.counts).toEqual({ sent: 0, refused: 0, parked: 3 });
    expect(said).toHaveLength(1);
    // Another owner knows what waits.
    await first.stop();
    isMended = true;
    run(holding(), { send });
    await until('nothing is parked', async () => (await parked()).length === 0);
    expect(sent).toEqual(['new', 'once', 'twice']);
  });

  it('goes on behind what an operator has given up, which is recorded', async () => {
    const sent: string[] = [];
    const send: Dispatch['send'] = async (kind, fields, context) => {
      if ('reason' in fields && fields.reason === 'new') throw new TypeError('cannot read ACME-1');
      if ('reason' in fields) sent.push(String(fields.reason));
      return sending(kind, fields, context);
    };
    run(holding(), { send });
    await open('ACME-1');
    await ledger.send(holdTask, { task: 'ACME-1' });
    await ledger.send(releaseTask, { task: 'ACME-1', reason: 'once' });
    await until('they are parked', async () => (await parked()).length === 2);
    const reactions = new AllParkedReactions(database.pool);
    const [first] = await reactions.list('holding');
    const command = Object.assign(new DropParkedReaction(), { reaction: first!.reaction, reason: 'held by hand' });
    const by = { commandId: 'given up', actor: { type: 'user', id: 'olga' } } as const;
    for (const replayed of [false, true])
      expect(await dropReaction(command, by, { ledger: ledger.ports.ledger, reactions })).toMatchObject({
        answer: { reaction: first!.reaction, status: 'gone' },
        replayed,
      });
    await until('nothing is parked', async () => (await parked()).length === 0);
    expect(sent).toEqual(['once']);
    expect(await store.readStream('operations')).toMatchObject([
      {
        type: 'ParkedReactionDropped',
        data: { policy: 'holding', stream: 'task-acme.ACME-1', error: 'TypeError: cannot read ACME-1', reason: 'held by hand' },
        metadata: { actor: { id: 'olga' } },
      },
    ]);
  });

  it('is taken over from one who stopped', async () => {
    const [one, other] = [run(holding()), run(holding())];
    await open('ACME-1');
    await isHeld('ACME-1');
    await isAtHead();
    expect(one.counts.sent + other.counts.sent).toBe(1);
    const [owner, next] = one.counts.sent === 1 ? [one, other] : [other, one];
    await owner.stop();
    await open('ACME-2');
    await isHeld('ACME-2');
    await until('the other counts it', () => next.counts.sent === 1);
  });

  it('halts before a log that is another, and the doctor says so', async () => {
    await open('ACME-1');
    const { stop } = run(holding());
    await isHeld('ACME-1');
    await isAtHead();
    await stop();
    const { counts } = run(holding(), { of: new MemoryEventStore() });
    await until('it has halted', async () => (await checkpoint())?.halted);
    expect(said[0]).toMatch(/^policy holding does not go on: policy holding has read event .* another log/);
    expect(counts.sent).toBe(0);
    await database.pool.query(`update policy_checkpoints set policy = 'holds'`);
    const checks = await examine({ db: database.pool, store, log: new PostgresLog(database.pool), skewMs: 0 });
    expect(checks.find(({ name }) => name === 'policy holds')).toMatchObject({
      ok: false,
      sentence: expect.stringMatching(/^halted at \d+: policy holding has read event/),
    });
  });
});
