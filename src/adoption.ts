import type pg from 'pg';
import { Ledger, type Clock } from './commands/ledger.js';
import { recordMove } from './commands/operations/store.js';
import type { Actor } from './events/event.js';
import { copyLog, type Copied } from './event-store/copy/copy-log.js';
import type { StoredLog } from './event-store/stored-log.js';
import type { OpenLog } from './open-log.js';
import { alone } from './projections/moving/alone.js';
import type { ProvenMove } from './projections/moving/change-over.js';
import { MoveRefused, moveReadModels, obstaclesToMove } from './projections/moving/move-read-models.js';
import type { Moved } from './projections/moving/staging.js';
import { followedLog, isTold, untoldMove } from './projections/moving/untold.js';
import type { AnyProjection } from './projections/projection.js';

/** One log, as decisions read it and as it is written. */
export type KeptLog = Pick<OpenLog, 'engine' | 'store' | 'log'>;

export interface Adoption {
  /** of the read models; at least four connections that may be silent for long: `admin` */
  readonly db: pg.Pool;
  readonly from: KeptLog;
  readonly to: KeptLog;
  /** those of this version of the ledger */
  readonly projections: readonly AnyProjection[];
  readonly actor: Actor;
  readonly reason?: string;
  readonly signal: AbortSignal;
  readonly moved: Moved;
}

/** `again`: it had happened before. */
export type Adopted = ProvenMove & { readonly again: boolean };

/**
 * Lets the database with the read models go on with a log that is a copy of the one that it follows. All is proven and built before
 * anything changes; the change is one transaction, and told in the new log as the first fact that only that one has. Cut off anywhere, it
 * is done again by the same call.
 *
 * @throws MoveRefused with all that stands in the way
 * @throws ReadModelDiffers when the new log does not fold to what is asked
 */
export function adopt(adoption: Adoption): Promise<Adopted> {
  return alone(adoption.db, async () => {
    const again = await isChangedOver(adoption);
    if (!again) await changeOver(adoption);
    return { ...(await tell(adoption)), again };
  });
}

/** True when nothing is left to do but to tell it. @throws MoveRefused when the database belongs to another log than those two */
async function isChangedOver({ db, from, to }: Adoption): Promise<boolean> {
  const [old, now] = [await from.log.id(), await to.log.id()];
  if (old === now) throw new MoveRefused([`both are one log (${old}): copy it to another store first, see ledger store copy`]);
  const untold = await untoldMove(db);
  if (untold) {
    if (untold.from === old && untold.to === now) return true;
    throw new MoveRefused([
      `this database was moved from log ${untold.from} to log ${untold.to}, and that was not told there yet: ` +
        `run ledger store adopt once more from the one to the other`,
    ]);
  }
  const followed = await followedLog(db);
  if (followed === old) return false;
  throw new MoveRefused([
    followed === now
      ? `this database follows log ${now} already: nothing is left to do`
      : `this database follows ${followed ? `log ${followed}` : 'no log yet'}, and not log ${old}: look at ledger store status`,
  ]);
}

async function changeOver(adoption: Adoption): Promise<void> {
  const { db, from, to, projections } = adoption;
  const found = await obstaclesToMove({ db, from: from.store, projections });
  if (!(await from.log.isSealed()))
    found.unshift('the old log takes writes still: close it when the servers may wait, with ledger store seal');
  if (to.engine === 'Postgres' && (await to.log.id()) !== (await ownLog(db)))
    found.push(
      'servers keep events in an EventStoreDB, or in the Postgres of DATABASE_URL: with a log in another one, none would start',
    );
  if (found.length > 0) throw new MoveRefused(found);
  const proven = await prove(adoption);
  const heads = await headsOf(adoption);
  const isStill = async () => {
    if ((await from.log.isSealed()) && (await headsOf(adoption)) === heads) return;
    throw new MoveRefused(['the logs were written to meanwhile: close the old one, copy what is new, and begin again']);
  };
  await moveReadModels({ ...adoption, from: from.store, to: to.store, proven, isStill });
}

/** The one that is in the database itself. */
async function ownLog(db: pg.Pool): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>('select id from event_log');
  return rows[0]?.id;
}

const headsOf = async ({ from, to }: Adoption): Promise<string> => `${await from.log.head()} ${await to.log.head()}`;

/** Every event of both, read and compared; nothing is written. */
async function prove({ from, to, moved }: Adoption): Promise<Omit<ProvenMove, 'readModels'>> {
  const total = await from.store.count({ upTo: await from.store.head() });
  const target = {
    id: () => to.log.id(),
    after: (...asked: Parameters<StoredLog['after']>) => to.log.after(...asked),
    take: () =>
      Promise.reject(new MoveRefused(['the new log does not have all events of the old one: ledger store copy brings them'])),
  };
  const progress = ({ done }: { readonly done: number }) => moved({ name: 'store adopt', phase: 'comparing_logs', done, total });
  const copied = await copyLog({ source: from.log, target, progress });
  if (copied.end !== 'complete') throw new MoveRefused([whyNot[copied.end]]);
  const { events, digest } = copied;
  return { from: await from.log.id(), to: await to.log.id(), events, digest };
}

const whyNot: Record<Exclude<Copied['end'], 'complete'>, string> = {
  open: 'the old log was written to while it was compared: close it with ledger store seal, and copy what is new',
  moved:
    'the new log says that the ledger was moved there already, and this database does not: it is that of a backup; restore a later one, ' +
    'or copy the old log to an empty store',
};

/** The new log is open from here on: all that comes now is its own. */
async function tell({ db, to, actor, reason }: Adoption): Promise<ProvenMove> {
  const move = (await untoldMove(db))!;
  await to.log.unseal();
  const { id: commandId, ...fields } = move;
  const command = Object.assign(new recordMove.command(), fields, { reason });
  await new Ledger(to.store, await clockOf(db), nobodysLeases).handle(recordMove, command, { commandId, actor });
  await isTold(db, move);
  return fields;
}

async function clockOf(db: pg.Pool): Promise<Clock> {
  const { rows } = await db.query<{ now: string }>('select now from ledger_clock');
  return { now: () => new Date(rows[0]!.now), random: () => 0 };
}

const nobodysLeases = { of: () => Promise.resolve(undefined), release: () => Promise.resolve() };
