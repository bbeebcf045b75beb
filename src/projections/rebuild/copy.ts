import type pg from 'pg';
import type { Column } from '../projector/read-model-sql.js';

/**
 * Rows in the text format of COPY: https://www.postgresql.org/docs/current/sql-copy.html, "Text Format". They are kept as bytes,
 * outside the heap.
 */
export class CopyText {
  private chunks: Buffer[] = [];
  private text = '';
  private kept = 0;

  constructor(private readonly columns: readonly Column[]) {}

  /** bytes, or a little less */
  get size(): number {
    return this.kept + this.text.length;
  }

  add(row: Readonly<Record<string, unknown>>): void {
    let line = '';
    for (const column of this.columns) line += `${line === '' ? '' : '\t'}${field(column, row[column.name])}`;
    this.text += `${line}\n`;
    if (this.text.length >= chunkLength) this.cut();
  }

  /** What was added since it was last taken. */
  take(): Buffer[] {
    this.cut();
    const taken = this.chunks;
    this.chunks = [];
    this.kept = 0;
    return taken;
  }

  private cut(): void {
    if (this.text === '') return;
    const chunk = Buffer.from(this.text);
    this.chunks.push(chunk);
    this.kept += chunk.length;
    this.text = '';
  }
}

const chunkLength = 65_536;

/** Runs `copy … from stdin` with all of it. */
export function copy(client: pg.PoolClient, statement: string, chunks: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(statement, chunks, resolve, reject));
  });
}

function field({ type }: Column, value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  return escaped(type === 'jsonb' ? JSON.stringify(value) : String(value));
}

/** What would end a field or a row, and what begins such an escape. */
const special = /[\\\t\n\r]/g;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escaped = (text: string): string => text.replace(special, (character) => escapes[character]!);

/** What pg has of the protocol's COPY, and does not describe in its types. */
type CopyConnection = pg.Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** A query as pg runs it: it is told of each answer of the server. */
class CopyIn implements pg.Submittable {
  constructor(
    private readonly statement: string,
    private readonly chunks: readonly Buffer[],
    private readonly resolve: () => void,
    private readonly reject: (error: Error) => void,
  ) {}

  submit(connection: pg.Connection): void {
    connection.query(this.statement);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    for (const chunk of this.chunks) connection.sendCopyFromChunk(chunk);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.resolve();
  }

  handleError(error: Error): void {
    this.reject(error);
  }
}
