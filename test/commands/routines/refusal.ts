import { Rejected } from '../../../src/commands/decider.js';
import type { Variable } from '../../../src/events/routine.js';

export const variable = (name: string, more: Partial<Variable> = {}): Variable => ({
  name,
  type: 'text',
  label: null,
  default: null,
  required: false,
  options: [],
  ...more,
});

export const at = new Date('2026-04-20T23:30:00Z');

/** What an action is refused with; an action that is not refused fails the test. */
export function refusalOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof Rejected) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}
