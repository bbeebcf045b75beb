import type { Next } from '../../commands/run-view.js';
import { sayDue } from '../times.js';
import type { Finished } from './reports.js';
import type { RunContextFile } from './run-context.js';

/** Why the run was asked for, for LEDGER_REASON and the worker's terminal. */
export function reasonOf({ run, wakeups }: Pick<RunContextFile, 'run' | 'wakeups'>): string {
  const said = run.context?.reason;
  return (typeof said === 'string' ? said : undefined) ?? run.retryReason ?? wakeups[0]?.reason ?? run.cause;
}

/** How a run ended, and what the ledger made of it. */
export function conclusion(run: string, outcome: string, exitCode: number | undefined, { run: after, next }: Finished): string {
  const details = [exitCode !== undefined && `exit code ${exitCode}`, after?.errorFamily].filter(Boolean).join(', ');
  const ended = `ended ${run}: ${after?.status ?? outcome}${details ? ` (${details})` : ''}`;
  return next ? `${ended}; next: ${nextStep(next)}` : ended;
}

function nextStep(next: Next): string {
  switch (next.kind) {
    case 'retry_scheduled':
      return `retry ${next.run} at ${sayDue(next.dueAt)} (attempt ${next.attempt} of ${next.maxAttempts})`;
    case 'queued':
      return `${next.run} is queued`;
    case 'retry_exhausted':
      return `none, its ${next.maxAttempts} retries are used up`;
    case 'escalated':
      return next.why;
  }
}
