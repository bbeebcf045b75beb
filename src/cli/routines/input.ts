import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Usage } from '../problem.js';
import { given } from './variables.js';

export interface InputOptions {
  readonly var?: Readonly<Record<string, string>>;
  readonly payload?: string;
}

/** What a fire is filled in with. */
export const inputOptions = (command: Command): Command =>
  command
    .option('--var <name=value...>', 'of a variable of its templates', given)
    .option('--payload <json|file>', 'given to its task: a JSON object, or a file with one; - is standard input');

/** A value goes as text: the ledger reads it as its variable's type says. */
export const inputOf = ({ var: variables, payload }: InputOptions) => ({
  variables,
  payload: payload === undefined ? undefined : jsonIn(payload, '--payload'),
});

/** A JSON object as it is written, in a file, or from standard input for `-`. */
export function jsonIn(source: string, option: string): object {
  const value = parsed(source, option);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Usage(`${option} ${shown(source)} holds no JSON object: give one such as {"build": 17}`);
}

function parsed(source: string, option: string): unknown {
  try {
    return JSON.parse(/^\s*[{[]/.test(source) ? source : readFileSync(source === '-' ? 0 : source, 'utf8'));
  } catch (error) {
    throw new Usage(
      `${option} ${shown(source)} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const shown = (source: string): string => (source.length > 60 ? `${source.slice(0, 60)}…` : source);
