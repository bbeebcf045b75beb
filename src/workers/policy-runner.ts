import { backOff, pause } from '../pause.js';
import type { Policy } from '../policies/policy.js';
import { Halted } from '../projections/projector/checkpoint.js';
import type { Ownership } from '../projections/projector/owner.js';
import { TermOver } from '../projections/projector/projector-term.js';
import { ParkedReactions } from './parked-reactions.js';
import { PolicyCheckpoints } from './policy-checkpoints.js';
import { PolicyTerm, type PolicyCounts, type PolicyParts, type PolicyWorld } from './policy-term.js';

const page = 5_000;
const waits = { firstMs: 200, mostMs: 10_000 };
const haltedWaitMs = 30_000;

/** Goes by the log for one policy, as long as this process owns it. Ends with `signal`, and never by an error. */
export class PolicyRunner {
  readonly counts: PolicyCounts = { sent: 0, refused: 0, parked: 0 };
  private readonly parts: PolicyParts;
  private readonly name: string;
  private readonly retryMs: number;
  private trouble: string | undefined;
  private failures = 0;

  constructor(
    readonly policy: Policy,
    private readonly world: PolicyWorld,
  ) {
    const { db, retryParkedMs = 30_000 } = world;
    this.name = `policy ${policy.name}`;
    this.retryMs = retryParkedMs;
    this.parts = { checkpoints: new PolicyCheckpoints(db), parked: new ParkedReactions(db, policy.name), counts: this.counts };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = await this.own(signal);
      await pause(wait, signal);
    }
  }

  /** One term, from the wait for it to its end; answers how long to stay away, in ms. */
  private async own(signal: AbortSignal): Promise<number> {
    let ownership: Ownership | undefined;
    try {
      ownership = await this.world.owners.acquire(this.name, signal);
      if (ownership) await this.follow(ownership, signal);
      return 0;
    } catch (error) {
      return signal.aborted ? 0 : this.stayAway(error, ownership);
    } finally {
      this.world.pages.leave(this);
      await ownership?.release().catch(() => {});
    }
  }

  private async follow(ownership: Ownership, signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, ownership.signal]);
    const isOver = () => !ownership.isHeld() || signal.aborted;
    const term = await PolicyTerm.begin(this.policy, this.world, this.parts, ownership.term, isOver);
    while (!isOver()) {
      await term.reactions.retryParked();
      await this.comeBy(term, performance.now() + this.retryMs, until);
    }
  }

  private async comeBy(term: PolicyTerm, deadline: number, until: AbortSignal): Promise<void> {
    for (let left = this.retryMs; left > 0 && !until.aborted; left = deadline - performance.now()) {
      const events = await within(left, until, (signal) => this.world.pages.after(this, term.position, page, signal));
      if (events.length === 0) continue;
      await term.comeBy(events);
      this.recovered();
    }
  }

  private stayAway(error: unknown, ownership: Ownership | undefined): number {
    if (error instanceof TermOver) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.trouble) this.world.log[error instanceof Halted ? 'error' : 'warn'](`${this.name} does not go on: ${reason}`);
    this.trouble = reason;
    if (error instanceof Halted && ownership) {
      void this.parts.checkpoints.halt(this.policy.name, ownership.term, reason).catch(() => {});
      return haltedWaitMs;
    }
    return backOff(this.failures++, waits);
  }

  private recovered(): void {
    if (this.trouble) this.world.log.info(`${this.name} goes on`);
    this.trouble = undefined;
    this.failures = 0;
  }
}

/** The signal of what is done ends with `until`, or after `ms`. */
async function within<T>(ms: number, until: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const end = () => over.abort();
  const timer = setTimeout(end, ms);
  until.addEventListener('abort', end);
  try {
    return await work(over.signal);
  } finally {
    clearTimeout(timer);
    until.removeEventListener('abort', end);
  }
}
