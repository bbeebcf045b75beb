import { once } from 'node:events';
import { card, table, type Column } from './table.js';

export const formats = ['table', 'json', 'jsonl'] as const;
export type Format = (typeof formats)[number];

/** Where results go: tables for people at a terminal, JSON for programs. */
export class Output {
  readonly format: Format;

  constructor(
    wanted: Format | undefined,
    readonly color: boolean,
    private readonly out: NodeJS.WriteStream = process.stdout,
    private readonly err: NodeJS.WriteStream = process.stderr,
  ) {
    this.format = wanted ?? (out.isTTY ? 'table' : 'json');
  }

  /** A page of rows; `next` tells a person how to go on. */
  list<Row>(page: { items: readonly Row[]; next?: string | null }, columns: readonly Column<Row>[]): void {
    if (this.format === 'json') return this.json(page);
    if (this.format === 'jsonl') return this.lines(page.items);
    this.line(page.items.length > 0 ? table(page.items, columns, this.looks()) : 'none');
    if (page.next) this.note(`more: --cursor ${page.next}`);
  }

  /** One of rows that come as they come: a line whose cells are as wide as `columns` make them. Resolves when there is room for another. */
  async next<Row extends object>(row: Row, columns: readonly Column<Row>[]): Promise<void> {
    if (this.format === 'json') this.json(row);
    else if (this.format === 'jsonl') this.lines([row]);
    else this.line(table([row], columns, this.looks()).replace(/^.*\n/, ''));
    if (this.out.writableNeedDrain) await once(this.out, 'drain').catch(() => {});
  }

  /** One thing: its fields for people, all of it for programs. */
  one<T extends object>(
    thing: T,
    fields: (thing: T) => readonly (readonly [string, string | number | null | undefined])[],
  ): void {
    if (this.format === 'json') return this.json(thing);
    if (this.format === 'jsonl') return this.lines([thing]);
    this.line(card(fields(thing), this.looks()));
  }

  /** What a command did, in a sentence. */
  did<T extends object>(answer: T, sentence: string): void {
    if (this.format === 'json') return this.json(answer);
    if (this.format === 'jsonl') return this.lines([answer]);
    this.line(sentence);
  }

  line(text: string): void {
    this.out.write(`${text}\n`);
  }

  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  private json(value: object): void {
    this.line(JSON.stringify(value, null, 2));
  }

  private lines(values: readonly unknown[]): void {
    for (const value of values) this.line(JSON.stringify(value));
  }

  private looks() {
    const tty = this.out.isTTY;
    return { width: tty ? this.out.columns || 120 : Infinity, color: this.color && tty };
  }
}
