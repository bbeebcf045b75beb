import type pg from 'pg';
import { Unfoldable } from '../projector/projector-term.js';
import type { Column } from '../projector/read-model-sql.js';
import { CopyText, copy } from './copy.js';
import { claim, mark, type Part } from './parts.js';

/** Another fill has written the part. */
class PartIsDone extends Error {}

/** `name` with its schema's. */
interface Target {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** copied at once, and so held in memory by a part at most */
const heldBytes = 16 * 2 ** 20;

/**
 * The rows of one part on their way into the table. Its one transaction begins late, when there is something to copy, so that a fill that
 * is paused or slowed down holds nothing up in the database.
 */
export class PartRows {
  private count = 0;
  private client: pg.PoolClient | undefined;
  private readonly text: CopyText;

  constructor(
    private readonly db: pg.Pool,
    private readonly table: Target,
    private readonly part: Part,
  ) {
    this.text = new CopyText(table.columns);
  }

  /** Their rows and their mark come together or not at all. `work` answers how many events it has folded. */
  static async write(db: pg.Pool, table: Target, part: Part, work: (rows: PartRows) => Promise<number>): Promise<void> {
    const rows = new PartRows(db, table, part);
    try {
      await rows.finish(await work(rows));
    } catch (error) {
      await rows.giveUp();
      if (!(error instanceof PartIsDone)) throw error;
    }
  }

  add(row: Readonly<Record<string, unknown>>): void {
    this.text.add(row);
    this.count += 1;
  }

  /** To be awaited now and then. */
  async copyWhenMany(): Promise<void> {
    if (this.text.size >= heldBytes) await this.copy();
  }

  private async finish(events: number): Promise<void> {
    await this.copy();
    const client = this.client!;
    await mark(client, this.table.name, this.part, events, this.count);
    await client.query('commit');
    client.release();
  }

  private async copy(): Promise<void> {
    this.client ??= await this.begin();
    const { name, columns } = this.table;
    const statement = `copy ${name} (${columns.map((column) => column.name).join(', ')}) from stdin`;
    const chunks = this.text.take();
    if (chunks.length > 0) await copy(this.client, statement, chunks).catch(unfoldableRow);
  }

  private async begin(): Promise<pg.PoolClient> {
    const client = await this.db.connect();
    this.client = client;
    await client.query('begin');
    if (!(await claim(client, this.table.name, this.part))) throw new PartIsDone();
    return client;
  }

  private async giveUp(): Promise<void> {
    await this.client?.query('rollback').catch(() => {});
    this.client?.release();
  }
}

/** Data that the table does not take will not be taken the next time either. */
function unfoldableRow(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && /^(22|23|54)/.test(String(error.code)))) throw error;
  const which = [error].flatMap((each) => ['detail', 'where'].map((name) => Reflect.get(each, name) as string | undefined));
  throw new Unfoldable(`${String(error.code)}: ${error.message} (${which.filter(Boolean).join('; ')})`, { cause: error });
}
