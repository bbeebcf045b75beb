import { lanes } from '../events/lane.js';
import type { Ledger } from '../commands/ledger.js';
import { taskStream, type RunId, type StreamId, type TaskId } from '../events/event.js';
import type { Lane } from '../events/lane.js';
import type { PostgresLeases } from './leases.js';

/** Renews leases on behalf of workers, and lets them know of a cancellation; a beat is no fact. */
export class LeaseBeats {
  constructor(
    private readonly leases: Pick<PostgresLeases, 'beat'>,
    private readonly ledger: Ledger,
  ) {}

  async beat({ company, task, run, token }: { company: string; task: TaskId; run: RunId; token: string }) {
    const renewed = await this.leases.beat(company, task, token);
    if (!renewed) return undefined;
    return (await this.isOver(taskStream(company, task), run)) ? { ...renewed, cancelRequested: true } : renewed;
  }

  /** This process may know the lane from before the run; that it does not know it as open is no reason yet to end it. */
  private async isOver(stream: StreamId, run: RunId): Promise<boolean> {
    const known = await this.ledger.state(lanes, stream);
    if (isOpen(known, run)) return false;
    return known.ended.some(({ runId }) => runId === run) || !isOpen(await this.ledger.state(lanes, stream, true), run);
  }
}

const isOpen = ({ open }: Lane, run: RunId): boolean => open.some(({ runId }) => runId === run);
