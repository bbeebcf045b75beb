import { alone } from '../../src/projections/moving/alone.js';
import { MoveRefused } from '../../src/projections/moving/move-read-models.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { thisProcess } from '../../src/projections/projector/process-identity.js';
import { MovingLedger } from './moving-ledger.js';

describe('a ledger that moves to a copy of its log', () => {
  let ledger: MovingLedger;

  beforeEach(async () => {
    ledger = await MovingLedger.begin();
  });
  afterEach(() => ledger.end());

  it('goes there and back, with work going on before, between and after', async () => {
    const { old, young } = ledger;
    await ledger.rebuilds(old, 1);
    await ledger.worksOn(old, 150);
    await ledger.closes(old);
    await ledger.copy(old, young);
    expect(await ledger.adopts(old, young)).toMatchObject({ from: await old.log.id(), to: await young.log.id(), again: false });
    await ledger.expectRowsOf(young);

    await ledger.rebuilds(young, 2);
    await ledger.worksOn(young, 80);
    await ledger.expectRowsOf(young);

    await ledger.closes(young);
    await old.log.unseal();
    await ledger.copy(young, old);
    await ledger.adopts(young, old);
    await ledger.worksOn(old, 50);
    await ledger.expectRowsOf(old);
  });

  it('has policies and what they have parked go on at the same events', async () => {
    const { old, young, db } = ledger;
    await ledger.worksOn(old, 60);
    const [at, before] = await Promise.all([ledger.nth(old, 40), ledger.nth(old, 17)]);
    const { position, id, stream, revision } = at;
    await db.query(
      `insert into policy_checkpoints (policy, position, event_id, stream, revision, term) values ('blockers', $1, $2, $3, $4, 3), ('holds', '', '', null, null, 1)`,
      [position, id, stream, revision],
    );
    await db.query(
      `insert into parked_reactions (policy, stream, position, event_stream, event_revision, command_id, error)
       values ('blockers', 'task-acme.ACME-1', $1, $2, $3, gen_random_uuid(), 'no')`,
      [before.position, before.stream, before.revision],
    );
    await db.query(
      `insert into skipped_events (projection, version, event_id, stream, position, reason) values ('gone', 1, $1, $2, $3, 'no')`,
      [before.id, before.stream, before.position],
    );
    await ledger.closes(old);
    await ledger.copy(old, young);
    await ledger.adopts(old, young);
    const [atThere, beforeThere] = await Promise.all([ledger.nth(young, 40), ledger.nth(young, 17)]);
    expect(await ledger.all('select policy, position, event_id as id, term from policy_checkpoints order by 1')).toEqual([
      { policy: 'blockers', position: atThere.position, id, term: 4 },
      { policy: 'holds', position: '', id: '', term: 1 },
    ]);
    for (const table of ['parked_reactions', 'skipped_events'])
      expect(await ledger.all(`select position from ${table}`)).toEqual([{ position: beforeThere.position }]);
  });

  it('ends whatever was owned under the old log, and lets nobody own who still works on it', async () => {
    const { old, young, db } = ledger;
    const ofOld = new Owners(db, thisProcess(), () => old.log.id());
    const ofYoung = new Owners(db, thisProcess(), () => young.log.id());
    const soon = () => AbortSignal.timeout(700);
    expect(await ofYoung.acquire('a loop', soon())).toBeUndefined();
    const owned = await ofOld.acquire('a loop', soon());
    await ledger.worksOn(old, 10);
    await ledger.closes(old);
    await ledger.copy(old, young);
    await ledger.adopts(old, young);
    expect(await ofYoung.acquire('a loop', soon())).toMatchObject({ term: owned!.term + 2 });
    expect(await ofOld.acquire('another loop', soon())).toBeUndefined();
    await expect(ofOld.seize('another loop')).rejects.toThrow('belongs to another log than this process works on');
  });

  it('tells the new log of it, however often it is cut off behind the change', async () => {
    const { old, young } = ledger;
    await ledger.worksOn(old, 20);
    await ledger.closes(old);
    await ledger.copy(old, young);
    const broken = Object.create(young.log, {
      unseal: { value: () => Promise.reject(new Error('cut off')) },
    }) as typeof young.log;
    await expect(ledger.adopts(old, { ...young, log: broken })).rejects.toThrow('cut off');
    const state = await ledger.state();
    await expect(ledger.adopts(old, { ...young, log: broken })).rejects.toThrow('cut off');
    await expect(ledger.adopts(young, old)).rejects.toThrow('that was not told there yet');
    expect(await ledger.adopts(old, young)).toMatchObject({ again: true });
    expect(await ledger.state()).toEqual(state);
    const told = await young.store.readStream('operations', { direction: 'backwards', limit: 1 });
    expect(told[0]).toMatchObject({ type: 'StoreMoved', data: { from: await old.log.id(), to: await young.log.id() } });
    await expect(ledger.adopts(old, young)).rejects.toThrow('already: nothing is left to do');
  });
});

describe('a move that cannot be', () => {
  let ledger: MovingLedger;
  let before: object;

  beforeAll(async () => {
    ledger = await MovingLedger.begin();
    await ledger.worksOn(ledger.old, 60);
    await ledger.copy(ledger.old, ledger.young);
    before = await ledger.state();
  });
  afterAll(() => ledger.end());
  afterEach(async () => {
    expect(await ledger.state()).toEqual(before);
    await ledger.old.log.seal();
  });

  const refused = async (sentence: RegExp | string) => {
    const error: unknown = await ledger.adopts(ledger.old, ledger.young).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(MoveRefused);
    expect((error as Error).message).toMatch(sentence);
  };

  it('is refused while the old log takes writes', async () => {
    await ledger.old.log.unseal();
    await refused(/the old log takes writes still.* ledger store seal/);
  });

  it.each([
    [
      'a read model does not go on',
      `update checkpoints set halted = 'no such event' where read_model = 'tasks_v1'`,
      `update checkpoints set halted = null`,
      'tasks_v1 does not go on: no such event',
    ],
    [
      'a stream is left aside',
      `insert into parked_streams values ('tasks_v1', 'task-acme.ACME-1', '0000000000000001', 0, 'id', 'no')`,
      'delete from parked_streams',
      'tasks_v1 has left 1 streams aside: mend them, see ledger projections parked tasks',
    ],
    [
      'there are read models as of a position',
      `insert into as_of_schemas values ('audit_2026', '0000000000000001')`,
      'delete from as_of_schemas',
      'ledger projections as-of drop audit_2026',
    ],
    [
      'this version cannot fold what is followed',
      `update checkpoints set version = 9 where read_model = 'tasks_v1'`,
      `update checkpoints set version = 1 where read_model = 'tasks_v1'`,
      'tasks_v1 is followed, and this version of the ledger cannot fold version 9 of tasks',
    ],
    [
      'a read model is behind and nobody works on it',
      `update checkpoints set position = '0000000000000007' where read_model = 'tasks_v1'`,
      `update checkpoints set position = (select max(position) from checkpoints)`,
      /tasks_v1 is at 7 of \d+, and no server works on it: start one with the role projector on the old store/,
    ],
    [
      'the database follows another log',
      `update followed_log set id = '00000000-0000-4000-8000-000000000000'`,
      `update followed_log set id = (select id from event_log)`,
      /this database follows log 00000000-0000-4000-8000-000000000000, and not log/,
    ],
  ])('is refused where %s', async (_, so, undone, sentence) => {
    await ledger.db.query(so);
    await refused(sentence);
    await ledger.db.query(undone);
  });

  it('says all that stands in the way at once', async () => {
    await ledger.old.log.unseal();
    await ledger.db.query(`update checkpoints set halted = 'no such event' where read_model in ('tasks_v1', 'agents_v1')`);
    await refused(/takes writes still[^]*agents_v1 does not go on[^]*tasks_v1 does not go on/);
    await ledger.db.query('update checkpoints set halted = null');
  });

  it('is refused to two at once', async () => {
    const { old, young, db } = ledger;
    await alone(db, () =>
      expect(ledger.adopts(old, young)).rejects.toThrow('this database is being moved to another log by another process: wait'),
    );
  });

  it('is refused to a Postgres that is not that of the read models', async () => {
    const { old, young } = ledger;
    await expect(ledger.adopts(old, young, { to: { ...young, engine: 'Postgres' } })).rejects.toThrow('none would start');
  });

  it('is refused to a copy that lacks events', async () => {
    const [first] = await ledger.old.log.after(undefined, 1);
    const lacking = Object.create(ledger.young.log, { after: { value: () => Promise.resolve([first]) } });
    await expect(ledger.adopts(ledger.old, { ...ledger.young, log: lacking })).rejects.toThrow(
      'the new log does not have all events of the old one: ledger store copy brings them',
    );
  });

  it('is no more when the logs are written to while all is built', async () => {
    let isWritten = false;
    const { old, young } = ledger;
    const moved = ({ phase }: { readonly phase: string }) => {
      if (phase !== 'comparing' || isWritten) return;
      isWritten = true;
      void old.log.unseal();
    };
    await expect(ledger.adopts(old, young, { moved })).rejects.toThrow('the logs were written to meanwhile');
  });
});
