import type { Dispatch } from '../src/commands/dispatch.js';
import { beginning, type Position } from '../src/events/event.js';
import type { LedgerEvent } from '../src/events/ledger-event.js';
import type { EventStore } from '../src/event-store/event-store.js';
import type { Log } from '../src/log.js';
import { policiesOfTheLedger } from '../src/policies/all.js';
import type { Policy } from '../src/policies/policy.js';
import type { Checkpoint } from '../src/projections/projector/checkpoint.js';
import { PolicyTerm, type PolicyCounts, type PolicyParts } from '../src/workers/policy-term.js';
import { FoldedIndex } from './policies/folded-index.js';

/** The ledger that they react in. */
interface Reacting {
  readonly store: EventStore;
  readonly send: Dispatch['send'];
}

/** A reaction that is about to be sent, or a checkpoint that is about to be moved because all those to an event were. */
export interface PolicyStep {
  readonly policy: string;
  readonly about: 'reaction' | 'checkpoint';
}

/**
 * The policies as their runner has them, with checkpoints and an index in memory. They react when they are told to; a reaction that
 * cannot be carried out, and would be parked, is thrown.
 */
export class VirtualPolicies {
  readonly counts: PolicyCounts = { sent: 0, refused: 0, parked: 0 };
  /** What this throws ends the reacting there, as the death of the process does; later it is gone on with from the checkpoints. */
  beforeStep: (step: PolicyStep) => void = () => {};
  private readonly checkpoints = new Map<string, Checkpoint>();
  private readonly index = new FoldedIndex();
  private indexed: Position = beginning;

  constructor(private readonly policies: readonly Policy[] = policiesOfTheLedger) {}

  /** Until nothing is left to react to, one of these after the other. Answers how many reactions have written something. */
  async react(ledger: Reacting, policies = this.policies): Promise<number> {
    const { store } = ledger;
    const before = await store.head();
    for (let last: Position | undefined; last !== (last = await store.head());)
      for (const policy of policies) await this.comeBy(policy, ledger);
    const written = await store.readAll({ after: before, limit: 1_000_000 });
    return new Set(written.map(({ metadata }) => metadata.commandId)).size;
  }

  /** All policies come by everything once more. */
  forgetCheckpoints(): void {
    this.checkpoints.clear();
  }

  private async comeBy(policy: Policy, ledger: Reacting): Promise<void> {
    const { store } = ledger;
    const { signal, step } = this.life(policy.name);
    const world = {
      store,
      index: () => this.index,
      progress: { reached: () => this.follow(store) },
      dispatch: { send: sendingAfter(() => step('reaction'), ledger) },
      log: silent,
    };
    const parts = { checkpoints: this.checkpointsAfter(() => step('checkpoint')), parked: nothingParked, counts: this.counts };
    const term = await PolicyTerm.begin(policy, world, parts, 1, () => signal.aborted);
    const page = () => store.readAll<LedgerEvent>({ after: term.position, limit: 5_000 });
    for (let events = await page(); events.length > 0; events = await page()) await term.comeBy(events);
  }

  /** Nothing is done after its end. */
  private life(policy: string) {
    const end = new AbortController();
    const step = (about: PolicyStep['about']): void => {
      try {
        end.signal.throwIfAborted();
        this.beforeStep({ policy, about });
      } catch (error) {
        end.abort(error);
        throw error;
      }
    };
    return { signal: end.signal, step };
  }

  private checkpointsAfter(step: () => void): PolicyParts['checkpoints'] {
    const { checkpoints } = this;
    return {
      take: async (policy) => checkpoints.get(policy) ?? { position: beginning, eventId: '', stream: null, revision: null },
      move: async (policy, _, from, to) => {
        step();
        const isThere = (checkpoints.get(policy)?.position ?? beginning) === from.position;
        if (isThere) checkpoints.set(policy, to);
        return isThere;
      },
      halt: async () => {},
    };
  }

  private async follow(store: EventStore): Promise<void> {
    const events = await store.readAll<LedgerEvent>({ after: this.indexed, limit: 1_000_000 });
    this.index.follow(events);
    this.indexed = events.at(-1)?.position ?? this.indexed;
  }
}

function sendingAfter(step: () => void, ledger: Reacting): Dispatch['send'] {
  return async (kind, fields, context) => {
    step();
    return ledger.send(kind, fields, context);
  };
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

const nothingParked: PolicyParts['parked'] = {
  streams: async () => [],
  first: async () => undefined,
  park: async ({ stream, command, error }) => {
    throw new Error(`${command ?? 'what happened'} on ${stream}: ${error}`);
  },
  failedAgain: async () => {},
  remove: async () => {},
};
