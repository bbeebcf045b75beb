import type pg from 'pg';
import type { Clock } from './commands/ledger.js';
import { pause } from './pause.js';
import type { Loop } from './workers/loop.js';

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

  /** Refuses a database whose time is set by hand; the loop keeps the clock right, because clocks drift and operators set them. */
  async start(): Promise<Loop> {
    await refuseManualDatabase(this.db);
    await this.measure();
    return {
      name: 'the clock',
      turn: async (signal) => {
        await pause(30_000, signal);
        if (!signal.aborted) await this.measure();
      },
    };
  }

  /** The database's clock minus this machine's. */
  get skewMs(): number {
    return this.offsetMs;
  }

  /** Half of the round trip is taken for the way back. */
  private async measure(): Promise<void> {
    const sent = Date.now();
    const { rows } = await this.db.query<{ ms: number }>('select epoch_ms(clock_timestamp()) as ms');
    this.offsetMs = rows[0]!.ms - (sent + Date.now()) / 2;
  }
}

/** A process with a real clock would write times that go back. */
async function refuseManualDatabase(db: pg.Pool): Promise<void> {
  const { rowCount } = await db.query('select from manual_clock');
  if (rowCount)
    throw new Error('the time of this database is set by hand: start with LEDGER_CLOCK=manual, or use another database');
}
