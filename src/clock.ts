import type pg from 'pg';
import type { Clock } from './commands/ledger.js';
import { pause, type Loop } from './workers/loop.js';

/** The process's clock, set right by the database's: processes with wrong clocks decide alike. */
export class SystemClock implements Clock {
  private offsetMs = 0;

  constructor(private readonly db: pg.Pool) {}

  now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }

  random(): number {
    return Math.random();
  }

  /** Half of the round trip is taken for the way back. */
  async measure(): Promise<void> {
    const sent = Date.now();
    const { rows } = await this.db.query<{ ms: number }>('select epoch_ms(clock_timestamp()) as ms');
    this.offsetMs = rows[0]!.ms - (sent + Date.now()) / 2;
  }

  get skewMs(): number {
    return this.offsetMs;
  }
}

/** Clocks drift, and operators set them. */
export const clockKeeper = (clock: SystemClock): Loop => ({
  name: 'the clock',
  async turn(signal) {
    await pause(30_000, signal);
    if (!signal.aborted) await clock.measure();
  },
});
