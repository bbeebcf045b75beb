import { lanes } from '../commands/lane.js';
import type { Ledger } from '../commands/ledger.js';
import { taskStream, type RunId, type TaskId } from '../events/event.js';
import type { PostgresLeases } from './leases.js';

/** Renews leases on behalf of workers, and lets them know of a cancellation; a beat is no fact. */
export class LeaseBeats {
  constructor(
    private readonly leases: PostgresLeases,
    private readonly ledger: Ledger,
  ) {}

  async beat({ company, task, run, token }: { company: string; task: TaskId; run: RunId; token: string }) {
    const renewed = await this.leases.beat(company, task, token);
    if (!renewed) return undefined;
    const { open } = await this.ledger.state(lanes, taskStream(company, task));
    return open.some(({ runId }) => runId === run) ? renewed : { ...renewed, cancelRequested: true };
  }
}
