import type { CommandContext, Dispatched, Sendable } from '../../src/commands/decider.js';
import { reportRunLost } from '../../src/commands/run.js';
import { nameUuid, type Event } from '../../src/events/event.js';
import type { EventStore, Write, WriteResult } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { FaultyStore } from '../event-store/faulty.js';
import { VirtualClock, VirtualLedger } from '../virtual-ledger.js';

/** The process was killed: whatever it was at is not gone on with. */
class Killed extends Error {}

/** One process: it lives for so many moments, each of which lies between two that leave something behind. */
class Life {
  isOver = false;

  constructor(private left: number) {}

  moment = (): void => {
    this.isOver ||= this.left-- <= 0;
    if (this.isOver) throw new Killed('the process was killed');
  };
}

/** What a process has of the store. */
class MortalStore extends FaultyStore {
  constructor(
    direct: EventStore,
    private readonly life: Life,
  ) {
    super(direct);
  }

  override async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    this.life.moment();
    const results = await super.append(writes);
    this.life.moment();
    return results;
  }
}

/**
 * A ledger whose process is killed after so many moments, and the next one after the next: before and after an append, before a reaction
 * and before a checkpoint, between a revoked lease and its report. Whoever was not answered asks the next process the same again.
 */
export class MortalLedger extends VirtualLedger {
  private readonly durable: MemoryEventStore;
  private readonly clients = { sent: 0 };
  private life = new Life(Infinity);
  private alive: VirtualLedger;
  deaths = 0;

  /** `lives`: moments of each process; the last of them lives for ever. `outageMs`: how long it takes until the next one begins. */
  constructor(
    private readonly lives: Iterator<number>,
    private readonly outageMs = 0,
  ) {
    const clock = new VirtualClock();
    const store = new MemoryEventStore({ now: clock.now });
    super({ store, clock });
    this.durable = store;
    this.alive = this.begin();
  }

  override async send<C extends object, Answer>(
    kind: Sendable<C, Answer>,
    fields: { readonly [Field in keyof C]?: unknown },
    context: Partial<CommandContext> = {},
  ): Promise<Dispatched<Answer>> {
    const commandId = nameUuid('asked by a client', ++this.clients.sent);
    return this.insisting(() => this.alive.send(kind, fields, { commandId, ...context }));
  }

  override react(): Promise<number> {
    return this.insisting(() => this.alive.react());
  }

  override reap(): Promise<void> {
    return this.insisting(async () => {
      for (const lost of this.leases.revoke()) {
        this.life.moment();
        await this.alive.send(reportRunLost, lost, {
          actor: { type: 'system', id: 'reaper' },
          commandId: nameUuid('lost', lost.run),
        });
        this.life.moment();
        this.leases.forget(lost);
      }
    });
  }

  private begin(): VirtualLedger {
    const { value, done } = this.lives.next();
    this.life = new Life(done === true ? Infinity : value);
    const { clock, leases, reactions } = this;
    reactions.beforeStep = this.life.moment;
    return new VirtualLedger({ store: new MortalStore(this.durable, this.life), clock, leases, reactions });
  }

  private async insisting<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const { life } = this;
      try {
        return await work();
      } catch (error) {
        if (!life.isOver) throw error;
        if (life === this.life) await this.restart();
      }
    }
  }

  private async restart(): Promise<void> {
    this.deaths++;
    // What a claim has under way of others ends with the process.
    await new Promise((resume) => setImmediate(resume));
    this.clock.advance(this.outageMs);
    this.alive = this.begin();
  }
}
