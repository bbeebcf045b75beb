import { insist } from '../insist.js';
import { adoptLeader } from './leader.js';
import { LeasedRun, type Surroundings, type Work } from './leased-run.js';
import { logOf } from './places.js';
import { ProcessGroup } from './process-group.js';
import { lives } from './process-table.js';
import type { RunFolder, RunState } from './run-folder.js';
import { RunOutput } from './run-output.js';

/** A run whose worker died: its command goes on under this one, or its end is told. */
export class AdoptedRun extends LeasedRun {
  constructor(
    private readonly state: RunState,
    private readonly folder: RunFolder,
    around: Surroundings,
  ) {
    super({ run: state.run, lease: state.lease, sentAt: lastSent(state, folder) }, around);
  }

  async run(): Promise<void> {
    try {
      const work = this.takeUp();
      const ended = this.untilEnd(work);
      const accepted = lives(this.state.process) ? this.claim(work) : Promise.resolve(true);
      const exit = await ended;
      // A command that ended before its first beat was answered is told as it ended.
      if ((await accepted) || this.leaseOver === undefined) return await this.report(work, exit);
      work.output.close();
      this.folder.remove();
    } catch (error) {
      await this.failToRun(error);
    } finally {
      this.lease.stop();
    }
  }

  private takeUp(): Work {
    const { run, process, startedAt, timeoutMs } = this.state;
    const output = new RunOutput(logOf(this.around.settings, run), (line) => this.around.say(`${run} | ${line}`));
    const group = new ProcessGroup(adoptLeader(process, run, this.folder));
    const forMs = Date.parse(startedAt) + timeoutMs - Date.now();
    return { folder: this.folder, group, output, forMs, timeoutMs };
  }

  /** False: the lease is another's, and the command was killed for it. */
  private async claim({ output }: Work): Promise<boolean> {
    if (!(await this.lease.begin())) return false;
    const line = `taken up again: ${this.held.run} (its command has run on without a worker)`;
    output.note(`${new Date().toISOString()} ${line}`);
    this.around.say(line);
    await this.tell('detached');
    await this.tell('reattached');
    return true;
  }

  private async tell(what: 'detached' | 'reattached'): Promise<void> {
    const { run, lease } = this.held;
    const post = () => this.around.client.post(['runs', run, what], { lease: lease.token }, { key: null });
    await insist(post, { forMs: lease.leaseMs / 6 }).catch((error: unknown) =>
      this.around.say(`${run}: could not tell that it is ${what}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}

/** Long enough ago that the lease is renewed before anything else. */
const lastSent = ({ lease: { leaseMs } }: RunState, folder: RunFolder): number =>
  Math.min(folder.allowedUntil() - leaseMs, performance.now() - leaseMs / 3);
