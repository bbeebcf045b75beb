import type pg from 'pg';
import type { Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import type { Policy, PolicyIndex } from '../policies/policy.js';
import { checkpointAt, refuseAnotherLog, type Checkpoint } from '../projections/projector/checkpoint.js';
import type { LogPages, Page } from '../projections/projector/log-pages.js';
import type { Owners } from '../projections/projector/owner.js';
import { ProjectionBehind, type Progress } from '../projections/projector/progress.js';
import { TermOver } from '../projections/projector/projector-term.js';
import type { PolicyCheckpoints } from './policy-checkpoints.js';
import { PolicyReactions, type IsOver, type ReactionParts, type ReactionPorts } from './policy-reactions.js';

/** What the policies of a process share. */
export interface PolicyWorld extends ReactionPorts {
  /** the database of checkpoints and of what is parked */
  readonly db: pg.Pool;
  /** whoever made them follows the log */
  readonly pages: LogPages;
  readonly owners: Owners;
  readonly progress: Progress;
  /** default 30 s */
  readonly retryParkedMs?: number;
}

/** What this process's runner of a policy has done since its start. */
export type PolicyCounts = ReactionParts['counts'];

export interface PolicyParts extends ReactionParts {
  readonly checkpoints: Pick<PolicyCheckpoints, 'take' | 'move' | 'halt'>;
}

/** What one term needs of it. */
type TermWorld = ReactionPorts & { readonly progress: Pick<Progress, 'reached'> };

/**
 * One owner's way through the log for one policy. Reactions come before the checkpoint: what was cut off between them is done again,
 * under the same ids. After any error it is to be thrown away.
 */
export class PolicyTerm {
  private constructor(
    private readonly policy: Policy,
    private readonly world: TermWorld,
    private readonly checkpoints: PolicyParts['checkpoints'],
    private readonly term: number,
    private readonly isOver: IsOver,
    private at: Checkpoint,
    readonly reactions: PolicyReactions,
  ) {}

  /** Throws Halted when the log is not the one that the policy has come by. */
  static async begin(policy: Policy, world: TermWorld, parts: PolicyParts, term: number, isOver: IsOver): Promise<PolicyTerm> {
    const at = await parts.checkpoints.take(policy.name, term);
    if (!at) throw new TermOver(`policy ${policy.name}: a later owner has the checkpoint`);
    await refuseAnotherLog(world.store, `policy ${policy.name}`, at, 'delete its row of policy_checkpoints');
    const reactions = await PolicyReactions.begin(policy, world, parts, isOver);
    return new PolicyTerm(policy, world, parts.checkpoints, term, isOver, at, reactions);
  }

  get position(): string {
    return this.at.position;
  }

  /** Reacts to the events after the checkpoint, in order, and moves it: after each that had reactions, and at the end. */
  async comeBy(page: Page): Promise<void> {
    const concerning = page.filter(({ type }) => this.policy.on[type]);
    const last = page.at(-1)!;
    const index = concerning.length > 0 ? await this.indexAt(last) : undefined;
    for (const event of index ? concerning : []) {
      if (this.isOver()) return;
      if (await this.reactions.reactTo(event, index!)) await this.moveTo(event);
    }
    if (!this.isOver()) await this.moveTo(last);
  }

  /** An index that shows the event, and may be ahead of it. */
  private async indexAt({ position }: Recorded<LedgerEvent>): Promise<PolicyIndex | undefined> {
    while (!this.isOver())
      try {
        await this.world.progress.reached(this.policy.indexes, position);
        return this.world.index();
      } catch (error) {
        if (!(error instanceof ProjectionBehind)) throw error;
      }
    return undefined;
  }

  private async moveTo(event: Recorded<LedgerEvent>): Promise<void> {
    const to = checkpointAt(event);
    if (to.position === this.at.position) return;
    if (!(await this.checkpoints.move(this.policy.name, this.term, this.at, to)))
      throw new TermOver(
        `policy ${this.policy.name}: the checkpoint is not at "${this.at.position}" any more, or is a later owner's`,
      );
    this.at = to;
  }
}
