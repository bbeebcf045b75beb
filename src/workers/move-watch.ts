import type pg from 'pg';
import { pause } from '../pause.js';
import type { Loop } from './loop.js';

const lookEveryMs = 1_000;

/** Looks whether the database still belongs to the log that this process works on. When it does not, there is nothing left to do here. */
export class MoveWatch implements Loop {
  readonly name = 'the look at which log is followed';
  /** Resolves when the ledger goes on in another log, with a sentence. */
  readonly movedAway: Promise<string>;
  private tell!: (sentence: string) => void;

  constructor(
    private readonly db: pg.Pool,
    private readonly log: () => Promise<string>,
  ) {
    this.movedAway = new Promise((resolve) => (this.tell = resolve));
  }

  async turn(signal: AbortSignal): Promise<void> {
    const mine = await this.log();
    const { rows } = await this.db.query<{ id: string }>('select id from followed_log');
    if (rows[0] && rows[0].id !== mine) this.tell(sentence(rows[0].id, mine));
    await pause(lookEveryMs, signal);
  }
}

const sentence = (followed: string, mine: string): string =>
  `the ledger goes on in log ${followed} and no more in log ${mine}, which this server works on: ` +
  `start it with the store that ledger store adopt has named`;
