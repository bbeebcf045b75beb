import { constants } from 'node:os';
import type { CancelIntent, ErrorFamily } from '../../events/run.js';
import type { ResultFile } from './result-file.js';

/** Body of `POST …/runs/{run}/finish`. */
export interface Finish {
  readonly lease: string;
  readonly outcome: 'succeeded' | 'failed' | 'timed_out' | 'cancelled';
  readonly intent?: CancelIntent;
  readonly exitCode?: number;
  readonly error?: string;
  readonly errorCode?: string;
  readonly errorFamily?: ErrorFamily;
  readonly retryAfter?: string;
  readonly result?: object;
  readonly usage?: object;
}

export interface Exit {
  /** null: it never started, or its group was killed */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** why it could not be started */
  readonly notStarted?: string;
  /** nobody knows how it ended: it was killed while no worker was there to see it */
  readonly vanished?: boolean;
}

/** Why the worker itself ended a command. `why` is a sentence. */
export interface Stop {
  readonly kind: 'timed_out' | 'cancelled' | 'handed_back';
  readonly why: string;
}

export interface Ending {
  readonly exit: Exit;
  /** a command that the worker stopped did not end by itself, whatever its exit code says */
  readonly stop: Stop | undefined;
  readonly said: ResultFile;
  readonly lastErrors: string;
}

/** What is reported of a command that ended. */
export function finishOf(lease: string, { exit, stop, said, lastErrors }: Ending): Finish {
  const exitCode = exit.code ?? undefined;
  const { result, usage } = said;
  if (stop?.kind === 'timed_out')
    return { ...said, lease, outcome: 'timed_out', exitCode, error: said.error ?? joined(stop.why, lastErrors) };
  if (stop)
    return {
      lease,
      outcome: 'cancelled',
      intent: stop.kind === 'cancelled' ? 'stop' : 'requeue',
      exitCode,
      error: stop.why,
      result,
      usage,
    };
  if (exit.notStarted !== undefined) {
    return { lease, outcome: 'failed', error: exit.notStarted, errorCode: 'command_not_started', errorFamily: 'config' };
  }
  if (exit.vanished) return { lease, outcome: 'failed', ...processLost(joined('its process was gone', lastErrors)) };
  if (exit.code === 0 && said.error === undefined) return { lease, outcome: 'succeeded', exitCode, result, usage };
  return { ...said, lease, outcome: 'failed', exitCode, error: said.error ?? (lastErrors || withoutWords(exit)) };
}

/** A run that was claimed and not begun. */
export const notBegun = (lease: string, why: string): Finish => ({ lease, outcome: 'cancelled', intent: 'requeue', error: why });

/** Nobody saw how it ended. */
export const processLost = (error: string) => ({ error, errorCode: 'process_lost', errorFamily: 'process_lost' }) as const;

/** Less to object to: the end of a run is told even if what it left behind is refused. */
export function withoutExtras({ lease, outcome, intent, exitCode, error }: Finish, refusal: string): Finish {
  const told = outcome === 'succeeded' ? undefined : joined(error ?? outcome, `(the rest of the report was refused: ${refusal})`);
  return { lease, outcome, intent, exitCode, error: told };
}

const withoutWords = ({ code, signal }: Exit): string =>
  signal ? `ended by ${signal}` : `ended with exit code ${code}${sayAsSignal(code)}, and without a word`;

/** A shell tells so that a signal ended a command. */
function sayAsSignal(code: number | null): string {
  const [name] = Object.entries(constants.signals).find(([, number]) => number + 128 === code) ?? [];
  return name ? ` (${name})` : '';
}

const joined = (first: string, second: string): string => [first, second].filter(Boolean).join('\n').slice(0, 8_192);
