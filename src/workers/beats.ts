import { lanes } from '../events/evolve-lane.js';
import type { Ledger } from '../commands/ledger.js';
import { taskOfRun, taskStream, type RunId, type StreamId } from '../events/event.js';
import type { Lane } from '../events/lane.js';
import type { Beat, PostgresLeases } from './leases.js';

/** Renews leases on behalf of workers, and lets them know of a cancellation; a beat is no fact. */
export class LeaseBeats {
  constructor(
    private readonly leases: Pick<PostgresLeases, 'beat'>,
    private readonly ledger: Ledger,
  ) {}

  /** `undefined`: the lease is another's by now. `cancelRequested`: the run is over, and its process is to end. */
  async beat({ run, ...beat }: BeatOfRun): Promise<{ leaseMs: number; cancelRequested?: true } | undefined> {
    const task = taskOfRun(run);
    const renewed = await this.leases.beat({ ...beat, task });
    if (!renewed) return undefined;
    return (await this.isOver(taskStream(beat.company, task), run)) ? { ...renewed, cancelRequested: true } : renewed;
  }

  /** This process may know the lane from before the run; that it does not know it as open is no reason yet to end it. */
  private async isOver(stream: StreamId, run: RunId): Promise<boolean> {
    const known = await this.ledger.streams.state(lanes, stream);
    if (isOpen(known, run)) return false;
    return known.ended.some(({ runId }) => runId === run) || !isOpen(await this.ledger.streams.state(lanes, stream, true), run);
  }
}

type BeatOfRun = Omit<Beat, 'task'> & { readonly run: RunId };

const isOpen = ({ open }: Lane, run: RunId): boolean => open.some(({ runId }) => runId === run);
