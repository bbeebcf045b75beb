import type { RunId, TaskId } from '../events/event.js';

/** Wakes who waits for something to happen; a hint, after which one looks again. */
export abstract class Bells {
  /** Resolves when the bell rings, `ms` have passed, or `signal` ends: whichever is first. */
  abstract wait(key: string, ms: number, signal: AbortSignal): Promise<void>;
}

export interface Beat {
  readonly company: string;
  readonly task: TaskId;
  readonly run: RunId;
  /** the lease's */
  readonly token: string;
  /** how far the run's output has come, and when it last grew (ISO) */
  readonly outputSeq?: number;
  readonly outputAt?: string;
}

/** A worker says that it still works on a run. */
export abstract class Beats {
  /** `undefined`: the lease is another's by now. `cancelRequested`: the run was cancelled, and its process is to end. */
  abstract beat(beat: Beat): Promise<{ leaseMs: number; cancelRequested?: boolean } | undefined>;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

/** Looks at what could be wrong with the ledger's database. */
export abstract class Doctor {
  abstract examine(): Promise<Check[]>;
}

export interface ClockReading {
  /** ISO */
  readonly now: string;
  /** what stands for chance, 0–1 */
  readonly random: number;
}

/** The time that everything takes for now. */
export abstract class Time {
  abstract now(): Date;
  /** where time is set by hand; only there the routes of it exist */
  abstract readonly manual: ManualTime | undefined;
}

export interface ManualTime {
  read(): ClockReading;
  /** @throws an error named ClockGoesBack */
  set(reading: Partial<ClockReading>): Promise<ClockReading>;
}
