import { sayDue } from '../times.js';
import type { Finished } from './reports.js';
import type { RunContextFile } from './run-folder.js';

/** Why the run was asked for, for LEDGER_REASON and the worker's terminal. */
export function reasonOf({ run, wakeups }: Pick<RunContextFile, 'run' | 'wakeups'>): string {
  const said = run.context?.reason;
  return (typeof said === 'string' ? said : undefined) ?? run.retryReason ?? wakeups[0]?.reason ?? run.cause ?? '';
}

/** How a run ended, and what the ledger made of it. */
export function conclusion(run: string, outcome: string, exitCode: number | undefined, { run: after, next }: Finished): string {
  const details = [exitCode !== undefined && `exit code ${exitCode}`, after?.errorFamily].filter(Boolean).join(', ');
  const ended = `ended ${run}: ${after?.status ?? outcome}${details ? ` (${details})` : ''}`;
  return next ? `${ended}; next: ${nextStep(next)}` : ended;
}

function nextStep({ kind, run, dueAt, attempt, maxAttempts, why }: NonNullable<Finished['next']>): string {
  switch (kind) {
    case 'retry_scheduled':
      return `retry ${run} at ${sayDue(dueAt)} (attempt ${attempt} of ${maxAttempts})`;
    case 'queued':
      return `${run} is queued`;
    case 'retry_exhausted':
      return `none, its ${maxAttempts} retries are used up`;
    case 'escalated':
      return why ?? 'a person must look at it';
  }
}
