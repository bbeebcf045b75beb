import { InvalidArgumentError, type Command } from 'commander';
import { typedPosition } from '../events/positions.js';
import { parseDuration, parseDurations } from './durations.js';

export interface PageOptions {
  limit?: number;
  cursor?: string;
}

export const pageOptions = (command: Command): Command =>
  command
    .option('--limit <n>', 'rows of a page, at most 1000', wholeNumber)
    .option('--cursor <cursor>', 'where the page before ended');

export const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number: give one such as 50.`);
  return Number(text);
};

/** Zeros before it may be left out, the server puts them there; 0 is before the first. */
export function position(text: string): string {
  if (!typedPosition.test(text)) throw new InvalidArgumentError(`"${text}" is not a position: give one such as 4711.`);
  return text;
}

export const duration = (text: string): number => saying(() => parseDuration(text));
export const durations = (text: string): number[] => saying(() => parseDurations(text));

export function jsonObject(text: string): object {
  const value: unknown = saying(() => JSON.parse(text) as unknown);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidArgumentError(`give a JSON object, such as '{"build": 17}'.`);
}

/** Commander shows what is wrong with an argument only when it is told so in an error of its own. */
function saying<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
