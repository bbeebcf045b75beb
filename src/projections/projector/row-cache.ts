import { keyOf, type Rows } from './fold.js';

/**
 * The rows that a projector has in memory, present and absent ones; true for one term and one checkpoint. Bounded: what was not
 * used for a while is forgotten by halves.
 */
export class RowCache<Row> {
  private recent: Rows<Row> = new Map();
  private older: Rows<Row> = new Map();
  /** every row of the table is here, so what is not here is absent */
  private whole = false;

  constructor(private readonly limit: number) {}

  has(id: string): boolean {
    return this.whole || this.recent.has(id) || this.older.has(id);
  }

  get(id: string): Row | undefined {
    if (this.recent.has(id)) return this.recent.get(id);
    if (!this.older.has(id)) return undefined;
    const row = this.older.get(id);
    this.set(id, row);
    return row;
  }

  set(id: string, row: Row | undefined): void {
    if (this.whole && row === undefined) this.recent.delete(id);
    else this.recent.set(id, row);
    if (this.recent.size >= this.limit) this.turn();
  }

  /** Takes a whole table, which is to be smaller than the limit. */
  holdAll(rows: readonly Row[], key: readonly (keyof Row)[]): void {
    this.clear();
    this.whole = true;
    for (const row of rows) this.set(keyOf(key.map((column) => row[column])), row);
  }

  clear(): void {
    this.whole = false;
    this.recent.clear();
    this.older.clear();
  }

  private turn(): void {
    this.whole = false;
    this.older = this.recent;
    this.recent = new Map();
  }
}
