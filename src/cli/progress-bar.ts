import { styleText } from 'node:util';
import { sayDuration } from '../projections/say-duration.js';
import { count } from './count.js';

/** Work that takes a while, as far as it is. */
export interface Work {
  /** `run_status_v2`, `audit verify` */
  readonly name: string;
  /** what is done just now; undefined: it is all of one kind */
  readonly phase?: string;
  readonly paused?: boolean;
  /** of events; of a phase that does not count them, a total of 0 */
  readonly progress?: {
    readonly done: number;
    readonly total: number;
    /** a second */
    readonly rate?: number;
    readonly etaSeconds?: number | null;
    readonly trouble?: string;
  };
}

const everyMs = 5_000;
const barWidth = 24;

/**
 * On stderr: on a terminal a bar that is drawn over, otherwise a line of JSON when the phase changes, and every five seconds. Work
 * that has no phases and is done sooner says nothing.
 */
export class ProgressBar {
  private saidAt = performance.now();
  private saidOf = stepOf({});

  constructor(
    private readonly color: boolean,
    private readonly err: NodeJS.WriteStream = process.stderr,
  ) {}

  show(work: Work): void {
    if (this.err.isTTY) return void this.err.write(`\r\u001b[K${this.fit(this.bar(work))}`);
    const step = stepOf(work);
    if (step === this.saidOf && performance.now() - this.saidAt < everyMs) return;
    [this.saidOf, this.saidAt] = [step, performance.now()];
    const { name, phase, paused, progress } = work;
    this.err.write(`${JSON.stringify({ progress: name, phase, paused, ...progress })}\n`);
  }

  /** Nothing of it is left on a terminal. */
  end(): void {
    if (this.err.isTTY) this.err.write('\r\u001b[K');
  }

  private bar({ name, phase, paused, progress }: Work): readonly string[] {
    const what = [name, paused ? 'paused' : phase?.replaceAll('_', ' ')].filter(Boolean).join(' ');
    if (!progress?.total) return [what];
    const { done, total, rate, etaSeconds, trouble } = progress;
    const share = Math.min(1, done / Math.max(1, total));
    const filled = Math.round(share * barWidth);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
    const speed = rate === undefined ? '' : `, ${count(rate)}/s`;
    const eta = typeof etaSeconds === 'number' ? `, ${sayDuration(etaSeconds * 1_000)} left` : '';
    const numbers = `${Math.floor(share * 100)} %, ${count(done)} of ${count(total)} events${speed}${eta}`;
    return [what, this.color ? styleText('cyan', bar, { validateStream: false }) : bar, numbers, trouble ?? ''];
  }

  /** A line that is wrapped could not be drawn over. */
  private fit(parts: readonly string[]): string {
    const shown: string[] = [];
    let left = (this.err.columns || 120) - 1;
    for (const part of parts.filter(Boolean)) {
      const width = part.includes('\u001b') ? barWidth : part.length;
      if (width > left) break;
      shown.push(part);
      left -= width + 1;
    }
    return shown.join(' ');
  }
}

const stepOf = ({ phase, paused }: Pick<Work, 'phase' | 'paused'>): string => `${phase} ${paused}`;
