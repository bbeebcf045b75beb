import type pg from 'pg';

export type WorkPhase = 'filling' | 'indexing' | 'catching_up' | 'comparing';

const writeEveryMs = 1_000;
const ratedMs = 10_000;

/** Writes about once a second how far a rebuild is, for those who look. Nothing depends on it, so what cannot be written is left out. */
export class RebuildProgress {
  private phase: WorkPhase = 'filling';
  private writtenAt = -Infinity;
  /** of the last ten seconds of the phase, oldest first */
  private moves: { at: number; done: number }[] = [];

  constructor(
    private readonly db: pg.Pool,
    private readonly rebuild: string,
  ) {}

  async begin(phase: WorkPhase): Promise<void> {
    this.phase = phase;
    this.moves = [];
    await this.write(0, 0);
    this.writtenAt = -Infinity;
  }

  /** Whether what has moved would be written now: what costs something to find out need not be asked more often. */
  get isDue(): boolean {
    return performance.now() - this.writtenAt >= writeEveryMs;
  }

  /** What the store cannot count is not known before it is done. */
  moved(done: number, total = done): void {
    const at = performance.now();
    this.moves = [...this.moves.filter((move) => at - move.at < ratedMs), { at, done }];
    if (this.isDue) void this.write(done, total);
  }

  /** What is waited for; until it moves again. */
  async trouble(sentence: string): Promise<void> {
    await this.query(
      `insert into rebuild_progress (read_model, phase, trouble)
       values ($1, $2, $3)
       on conflict (read_model) do update
       set trouble = excluded.trouble, rate = 0, moved_at = clock_timestamp()`,
      [this.rebuild, this.phase, sentence],
    );
  }

  private async write(done: number, total: number): Promise<void> {
    this.writtenAt = performance.now();
    await this.query(
      `insert into rebuild_progress (read_model, phase, done, total, rate)
       values ($1, $2, $3, $4, $5)
       on conflict (read_model) do update
       set phase = excluded.phase, done = excluded.done, total = excluded.total, rate = excluded.rate, trouble = null,
         moved_at = clock_timestamp()`,
      [this.rebuild, this.phase, done, total, this.rate()],
    );
  }

  private rate(): number {
    const [first, last] = [this.moves[0], this.moves.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    return ((last.done - first.done) * 1_000) / (last.at - first.at);
  }

  private async query(text: string, values: unknown[]): Promise<void> {
    await this.db.query(text, values).catch(() => {});
  }
}
