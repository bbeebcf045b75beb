import { OutcomeUnknown, type CommandContext } from '../commands/decider.js';
import { StoreUnavailable } from '../event-store/event-store.js';
import { nameUuid } from '../events/event.js';
import type { Log } from '../log.js';
import { backOff } from '../pause.js';
import type { Loop } from './loop.js';
import { sleptUntilDue, type DueTimes, type SleepPorts } from './until-due.js';

/** Something that is to be done from a time on. */
export interface Due {
  readonly dueAt: string;
}

export interface DueList<D extends Due> extends DueTimes {
  /** The longest due first. */
  due(now: string, limit: number): Promise<readonly D[]>;
}

export interface DueWork<D extends Due> {
  readonly name: string;
  /** rung when something may be due earlier */
  readonly bell: string;
  readonly list: DueList<D>;
  /** tells one from the others: the company, and what it is called there */
  readonly keyOf: (due: D) => readonly [company: string, name: string];
  /** tells its commands from those of other loops */
  readonly commands: string;
  /** The context makes it the same command whoever sends it. */
  readonly carryOut: (due: D, context: CommandContext) => Promise<unknown>;
}

export interface DuePorts extends SleepPorts {
  readonly log: Pick<Log, 'warn'>;
}

/** How much is taken in hand before the list is asked again, and how much of it at a time: other work comes in between. */
const batch = 200;
const atATime = 8;
const waits = { firstMs: 500, mostMs: 60_000 };

/** Was tried, and is not to be tried again before `until`, by the process's own count of ms. */
interface Tried {
  readonly dueAt: string;
  readonly until: number;
  readonly failures: number;
  readonly done: number;
}

/**
 * Does what is due, the longest due first, and sleeps until the next. The list is asked only when it knows all that was done before:
 * what it still has as due at that time has failed, or has come to nothing. That is tried again with growing pauses, and does not hold up
 * the rest. Several processes may do so.
 */
export class DueLoop<D extends Due> implements Loop {
  readonly name: string;
  private tried = new Map<string, Tried>();

  constructor(
    private readonly work: DueWork<D>,
    private readonly ports: DuePorts,
  ) {
    this.name = work.name;
  }

  async turn(signal: AbortSignal): Promise<void> {
    const { list, bell } = this.work;
    if (await sleptUntilDue(list, bell, this.ports, signal)) return;
    const listed = await list.due(this.ports.clock.now().toISOString(), batch + this.tried.size);
    this.forgetOthers(listed);
    const ready = listed.filter((due) => this.isReady(due)).slice(0, batch);
    await this.doAll(ready, signal);
    if (ready.length === 0) await this.ports.bells.wait(bell, waits.firstMs, signal);
  }

  /** What is not listed any more, or is due at another time, is over. */
  private forgetOthers(listed: readonly D[]): void {
    const kept = listed.flatMap((due) => {
      const tried = this.triedOf(due);
      return tried ? [[this.nameOf(due), tried] as const] : [];
    });
    this.tried = new Map(kept);
  }

  private triedOf(due: D): Tried | undefined {
    const tried = this.tried.get(this.nameOf(due));
    return tried?.dueAt === due.dueAt ? tried : undefined;
  }

  private isReady(due: D): boolean {
    return (this.triedOf(due)?.until ?? 0) <= performance.now();
  }

  private async doAll(all: readonly D[], signal: AbortSignal): Promise<void> {
    const left = all.values();
    const lane = async () => {
      for (const due of left) if (!signal.aborted) await this.doOne(due);
    };
    const lanes = await Promise.allSettled(Array.from({ length: atATime }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  }

  private async doOne(due: D): Promise<void> {
    const { failures, done } = this.triedOf(due) ?? { failures: 0, done: 0 };
    try {
      await this.work.carryOut(due, this.contextOf(due, done));
      this.remember(due, { failures: 0, done: done + 1 });
    } catch (error) {
      // Without the store, none of the others can be done either.
      if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) throw error;
      if (failures === 0) this.ports.log.warn(`${this.name} tries again later: ${this.nameOf(due)}: ${messageOf(error)}`);
      this.remember(due, { failures: failures + 1, done });
    }
  }

  /** What was done, and is due at this very time all the same, is another command. */
  private contextOf(due: D, done: number): CommandContext {
    const { commands, keyOf } = this.work;
    const commandId = nameUuid(commands, ...keyOf(due), due.dueAt, ...(done > 0 ? [done] : []));
    return { commandId, actor: { type: 'system', id: 'scheduler' } };
  }

  private nameOf(due: D): string {
    const [company, name] = this.work.keyOf(due);
    return `${name} of ${company}`;
  }

  private remember(due: D, tries: Pick<Tried, 'failures' | 'done'>): void {
    const until = performance.now() + backOff(tries.failures + tries.done, waits);
    this.tried.set(this.nameOf(due), { dueAt: due.dueAt, until, ...tries });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
