import { errorFamilies, type ErrorFamily } from '../events/run.js';
import { readNotBefore, readRetryAfter } from './retry-after.js';

/** What is known of a run that did not succeed. */
export interface FailureReport {
  readonly errorCode?: string;
  /** the reporter's own verdict; it wins */
  readonly errorFamily?: ErrorFamily;
  /** null: ended by a signal */
  readonly exitCode?: number | null;
  /** what the process said */
  readonly error?: string;
  /** as the provider wrote it */
  readonly retryAfter?: string;
  /** which program the agent is run by; any but the known ones gets every rule */
  readonly adapter?: string;
}

export interface Classified {
  readonly family: ErrorFamily;
  /** ISO time before which the provider wants no further attempt */
  readonly notBefore: string | null;
}

/** `transient_upstream` and `quota` pass by themselves and are retried; no other family is. */
export function classifyFailure(report: FailureReport, now: Date): Classified {
  const { retryAfter = '', error = '' } = report;
  const notBefore = readRetryAfter(retryAfter, now) ?? readNotBefore(error, now);
  return { family: stated(report) ?? familyOfCode.get(report.errorCode) ?? familyOfText(report, notBefore), notBefore };
}

const stated = ({ errorFamily }: FailureReport): ErrorFamily | undefined =>
  errorFamilies.find((family) => family === errorFamily);

const familyOfCode: ReadonlyMap<string | undefined, ErrorFamily> = new Map<string, ErrorFamily>([
  ['codex_transient_upstream', 'transient_upstream'],
  ['claude_transient_upstream', 'transient_upstream'],
  ['process_lost', 'process_lost'],
  ['timeout', 'timeout'],
  ['timed_out', 'timeout'],
]);

/** The words of an unknown code count like those of the message. What no waiting cures is looked for first. */
function familyOfText(report: FailureReport, notBefore: string | null): ErrorFamily {
  const text = `${(report.errorCode ?? '').replaceAll('_', ' ')}\n${report.error ?? ''}`;
  return incurable.find(([, words]) => words.test(text))?.[0] ?? passing(report, text, notBefore) ?? otherwise(report, text);
}

const incurable: readonly (readonly [ErrorFamily, RegExp])[] = [
  ['config', /\bmax(?:imum)?[-_ ]?(?:number of )?turns\b/i],
  [
    'bug',
    /\b(?:unknown|invalid|poisoned) session\b|\bno (?:conversation|session) found\b|\bsession(?: id)? [^\r\n]{0,80}(?:not found|poisoned)/i,
  ],
  ['bug', /\bimages? [^\r\n]{0,80}(?:too large|exceeds?)\b|\bimage too large\b/i],
  [
    'auth',
    /\blogin (?:is )?required\b|\bnot logged in\b|\bplease (?:run \S{1,40} ?login|log ?in|\/login)\b|\bplease run [^\r\n]{0,20}\/login\b/i,
  ],
];

const usageLimit =
  /\b(?:usage|5[- ]?h(?:our)?|five[- ]hour|weekly|daily|monthly|session|extra[- ]usage) limit\b|\bhit your (?:\w{1,20} )?limit\b|\bout of extra usage\b|\bextra[- ]usage [^\r\n]{0,40}exhausted\b|\b(?:quota|credits?) (?:exceeded|exhausted)\b|\binsufficient quota\b|\bexceeded your (?:current )?quota\b/i;
/** Not the 429 of `main.js:429:7`, of `line 429` or of `took 429 ms`. */
const busyStatus =
  /(?<!\.\w{1,5}:)(?<![\w./#-])(?<!\bline )(?:429|503|529)(?![\w-]|[.:]\d| ?(?:ms|s|secs?|seconds|bytes|lines)\b)/i;
const busy =
  /\brate[-_ ]?limit|\btoo many requests\b|\boverloaded\b|\bhigh demand\b|\btemporary errors?\b|\bthrottl|\bservice (?:is )?(?:temporarily )?unavailable\b|\btry again later\b/i;

function passing(report: FailureReport, text: string, notBefore: string | null): ErrorFamily | undefined {
  if (report.adapter === 'codex_local') return passingForCodex(report, text, notBefore);
  if (usageLimit.test(text)) return 'quota';
  return isBusy(text) ? 'transient_upstream' : undefined;
}

const isBusy = (text: string): boolean => busy.test(text) || busyStatus.test(text);

/** Codex tries again by itself, and speaks of limits in passing: its words count only if it gave up for them. */
function passingForCodex({ exitCode }: FailureReport, text: string, notBefore: string | null): ErrorFamily | undefined {
  if (exitCode === 0) return undefined;
  if (usageLimit.test(text) && notBefore) return 'quota';
  return isBusy(text) && (gaveUp.test(text) || notBefore) ? 'transient_upstream' : undefined;
}

const gaveUp = /\bremote[-_ ]compact|\bhigh demand\b|\btemporary errors?\b/i;

function otherwise({ exitCode }: FailureReport, text: string): ErrorFamily {
  if (
    /\bunauthori[sz]ed\b|\b(?:invalid|missing|expired) (?:api[-_ ]key|token|credentials?)\b|\bauthentication (?:failed|error)\b/i.test(
      text,
    )
  )
    return 'auth';
  return exitCode === 126 || exitCode === 127 ? 'config' : 'unknown';
}
