import { readFileSync, statSync } from 'node:fs';
import { errorFamilies, type ErrorFamily } from '../../events/run.js';

/** What a command may say of its end, in the file that LEDGER_RESULT_FILE names. */
export interface ResultFile {
  readonly error?: string;
  readonly errorCode?: string;
  readonly errorFamily?: ErrorFamily;
  readonly retryAfter?: string;
  readonly result?: object;
  readonly usage?: object;
}

/** Half of what a request may hold: a bigger report would be refused, and the run's end with it. */
const maxBytes = 512 * 1024;

export interface ReadResult {
  readonly said: ResultFile;
  /** what could not be used, named for the operator: how a run ended is told in any case */
  readonly ignored: readonly string[];
}

export function readResultFile(path: string): ReadResult {
  try {
    return statSync(path).size > maxBytes ? nothing(`more than ${maxBytes / 1024} KiB`) : parseResult(readFileSync(path, 'utf8'));
  } catch {
    return { said: {}, ignored: [] };
  }
}

export function parseResult(text: string): ReadResult {
  if (text.trim() === '') return { said: {}, ignored: [] };
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? readFields(value) : nothing('not a JSON object');
  } catch {
    return nothing('not JSON');
  }
}

const nothing = (why: string) => ({ said: {}, ignored: [why] });

function readFields(value: Record<string, unknown>): ReadResult {
  const said: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [name, field] of Object.entries(value)) {
    const read = isField(name) ? readers[name](field) : undefined;
    if (read !== undefined) said[name] = read;
    else if (field !== null) ignored.push(name);
  }
  return { said, ignored };
}

type Field = keyof ResultFile;
const isField = (name: string): name is Field => Object.hasOwn(readers, name);

const text = (max: number) => (value: unknown) => (typeof value === 'string' ? value.slice(0, max) : undefined);
const object = (value: unknown) => (isObject(value) ? value : undefined);

/** Each answers undefined for what cannot be reported. */
const readers: Readonly<Record<Field, (value: unknown) => string | object | undefined>> = {
  error: text(8_192),
  errorCode: text(200),
  errorFamily: (value) => errorFamilies.find((family) => family === value),
  retryAfter: (value) => text(200)(typeof value === 'number' ? String(value) : value),
  result: object,
  usage: object,
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
