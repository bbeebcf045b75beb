import { stripVTControlCharacters, styleText } from 'node:util';

type Cell<Row> = (row: Row) => string | number | null | undefined;

/** A title, and what stands below it for a row. A last column of sentences is `wrapped` where others are cut. */
export type Column<Row> = readonly [title: string, cell: Cell<Row>, wrapped?: 'wrapped'];

interface Looks {
  /** of the terminal; the last column is cut, or wrapped, where it would not fit */
  readonly width: number;
  readonly color: boolean;
}

/** Columns as wide as their longest cell. What others wrote cannot steer the terminal: control characters become blanks. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], looks: Looks): string {
  const titles = columns.map(([title]) => title.toUpperCase());
  const cells = rows.map((row) => columns.map(([, cell]) => plain(cell(row) ?? '')));
  const widths = titles.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const cut = (text: string) => (text.length > looks.width ? `${text.slice(0, looks.width - 1)}…` : text);
  const wraps = columns.at(-1)?.[2] === 'wrapped';
  const fit = (row: readonly string[]) => (wraps ? wrapped(row, line, looks.width) : cut(line(row)));
  const head = cut(line(titles));
  return [looks.color ? styleText('dim', head) : head, ...cells.map((row) => tint(fit(row), looks))].join('\n');
}

/** Narrower than this, a sentence is no pleasure to read beside its columns, and gets lines of its own. */
const leastRoom = 40;

/** The last cell goes on below itself, at words. */
function wrapped(row: readonly string[], line: (row: readonly string[]) => string, width: number): string {
  const whole = line(row);
  if (whole.length <= width) return whole;
  const before = line([...row.slice(0, -1), '|']).slice(0, -1);
  const beside = width - before.length >= leastRoom;
  const indent = ' '.repeat(beside ? before.length : 4);
  const told = atWords(row.at(-1) ?? '', Math.max(10, width - indent.length))
    .map((text) => indent + text)
    .join('\n');
  return beside ? before + told.slice(before.length) : `${before.trimEnd()}\n${told}`;
}

/** A word that is longer than a line is cut. */
function atWords(text: string, width: number): string[] {
  const line = new RegExp(`.{1,${width}}(?= |$)|.{1,${width}}`, 'gu');
  return [...text.trim().matchAll(line)].map(([part]) => part.trim());
}

/** One thing, a line for each of its fields. */
export function card(fields: readonly (readonly [string, string | number | null | undefined])[], looks: Looks): string {
  const shown = fields.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${tint(plain(value ?? ''), looks)}`).join('\n');
}

export const plain = (text: string | number): string => stripVTControlCharacters(String(text)).replaceAll(/\p{Cc}+/gu, ' ');

const tints = [
  [/\b(failed|timed_out|terminated|exhausted)\b/g, 'red'],
  [/\b(succeeded|completed|done)\b/g, 'green'],
  [/\b(scheduled_retry|paused|held|deferred)\b/g, 'yellow'],
  [/\b(running|claimed)\b/g, 'cyan'],
] as const;

/** Statuses carry the colour that a person looks for. */
function tint(text: string, { color }: Looks): string {
  if (!color) return text;
  return tints.reduce(
    (tinted, [word, style]) => tinted.replaceAll(word, (found) => styleText(style, found, { validateStream: false })),
    text,
  );
}
