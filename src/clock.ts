import type pg from 'pg';
import type { Clock } from './commands/ledger.js';
import { pause } from './pause.js';
import type { Loop } from './workers/loop.js';

const lookEveryMs = 1_000;
const measureEveryMs = 30_000;
/** This machine's clock was set, or it was asleep, which stops the count of ms that time is told by between two measurements. */
const jumpMs = 500;
/** A round trip that took longer says little of when the database answered. */
const quickMs = 20;
const tries = 5;

interface Measurement {
  /** the database's time less the process's own count of ms */
  readonly offsetMs: number;
  readonly tookMs: number;
  /** this machine's clock less the count: what it stays as long as nobody sets the clock */
  readonly machineMs: number;
}

/** The database's time: processes on machines with wrong clocks decide alike, also when a clock is set while they run. */
export class SystemClock implements Clock {
  private measured: Measurement = { offsetMs: machineMs(), tookMs: Infinity, machineMs: machineMs() };
  private measuredAt = -Infinity;

  constructor(private readonly db: pg.Pool) {}

  now(): Date {
    return new Date(performance.now() + this.measured.offsetMs);
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
        await pause(lookEveryMs, signal);
        if (!signal.aborted && this.isDoubtful()) await this.measure();
      },
    };
  }

  /** The database's clock minus this machine's. */
  get skewMs(): number {
    return this.measured.offsetMs - machineMs();
  }

  private isDoubtful(): boolean {
    return performance.now() - this.measuredAt > measureEveryMs || Math.abs(machineMs() - this.measured.machineMs) > jumpMs;
  }

  /** The quickest of a few round trips counts: in a slow one, somebody waited for a connection, or this process stood still. */
  private async measure(): Promise<void> {
    let best = await this.ask();
    for (let n = 1; n < tries && best.tookMs > quickMs; n++) {
      const next = await this.ask();
      if (next.tookMs < best.tookMs) best = next;
    }
    this.measured = best;
    this.measuredAt = performance.now();
  }

  /** Half of the round trip is taken for the way back. */
  private async ask(): Promise<Measurement> {
    const sent = performance.now();
    const { rows } = await this.db.query<{ ms: number }>('select epoch_ms(clock_timestamp()) as ms');
    const received = performance.now();
    return { offsetMs: rows[0]!.ms - (sent + received) / 2, tookMs: received - sent, machineMs: machineMs() };
  }
}

const machineMs = (): number => Date.now() - performance.now();

/** A process with a real clock would write times that go back. */
async function refuseManualDatabase(db: pg.Pool): Promise<void> {
  const { rowCount } = await db.query('select from manual_clock');
  if (rowCount)
    throw new Error('the time of this database is set by hand: start with LEDGER_CLOCK=manual, or use another database');
}
