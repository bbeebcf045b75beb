import type pg from 'pg';
import type { Clock } from './commands/ledger.js';
import { pause } from './pause.js';
import type { Loop } from './workers/loop.js';

export interface ClockReading {
  readonly now: string;
  /** what stands for chance, 0–1 */
  readonly random: number;
}

/** Time goes forward only, also when it is set by hand. */
export class ClockGoesBack extends Error {
  override readonly name = 'ClockGoesBack';
}

const lookEveryMs = 50;

/**
 * A clock that stands still until it is set: one row in Postgres, which all processes, a restart, and `recordedAt` follow. It begins at
 * the real time.
 */
export class ManualClock implements Clock {
  /** It follows no other, so it cannot be off. */
  readonly skewMs = 0;
  private reading: ClockReading = { now: new Date().toISOString(), random: 0.5 };

  constructor(
    private readonly db: pg.Pool,
    private readonly onMove: () => void,
  ) {}

  now(): Date {
    return new Date(this.reading.now);
  }

  random(): number {
    return this.reading.random;
  }

  read(): ClockReading {
    return this.reading;
  }

  /** The loop looks for what other processes have set. */
  async start(): Promise<Loop> {
    await this.db.query('insert into manual_clock (now) values (clock_timestamp()) on conflict do nothing');
    await this.look();
    return {
      name: 'the manual clock',
      turn: async (signal) => {
        await pause(lookEveryMs, signal);
        if (!signal.aborted) await this.look();
      },
    };
  }

  /** @throws ClockGoesBack */
  async set({ now, random }: Partial<ClockReading>): Promise<ClockReading> {
    const { rowCount } = await this.db.query(
      `update manual_clock
       set now = coalesce($1::timestamptz, now),
         random = coalesce($2, random)
       where $1::timestamptz is null
         or now <= $1::timestamptz`,
      [now, random],
    );
    await this.look();
    if (rowCount === 0) throw new ClockGoesBack(`the clock is at ${this.reading.now}, after ${now}: it moves forward only`);
    return this.reading;
  }

  private async look(): Promise<void> {
    const { rows } = await this.db.query<ClockReading>('select now, random from manual_clock');
    const [reading] = rows;
    if (!reading || (reading.now === this.reading.now && reading.random === this.reading.random)) return;
    this.reading = reading;
    this.onMove();
  }
}
