import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { sayDuration } from '../projections/say-duration.js';
import type { ByEnd, Spread } from '../projections/what-if/failing-chains.js';
import type { Looked, WhatIfReport } from '../projections/what-if/what-if.js';
import { count } from './count.js';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';
import { Problem, Usage, type ProblemBody } from './problem.js';
import { ProgressBar } from './progress-bar.js';
import { sayTime } from './times.js';

export function addWhatIf(program: Command): void {
  verb(program, 'what-if', 'what would have been decided on recorded failures under another retry policy; nothing is written')
    .requiredOption(
      '--retry-policy <file>',
      "JSON as an agent's policy.retry: delaysMs, jitterRatio, maxNotBeforeMs, notBeforeJitterMs",
    )
    .option('--from <time|position>', 'the first event: an ISO time, or a position of the log')
    .option('--to <time|position>', 'the last event')
    .action((options: WhatIfOptions) => whatIf(openDoor(options), options));
}

interface WhatIfOptions extends DoorOptions {
  retryPolicy: string;
  from?: string;
  to?: string;
}

type Line = { readonly progress?: Looked; readonly report?: WhatIfReport; readonly problem?: ProblemBody & { status: number } };

async function whatIf({ client, output }: Door, { retryPolicy, from, to }: WhatIfOptions): Promise<void> {
  const asked = { policy: policyIn(retryPolicy), from, to, company: client.options.company };
  const lines = client.lines<Line>('/v1/what-if/retry-policy', asked);
  output.one(await reportOf(lines, output.color), fieldsOf);
}

/** Says on the way how far it has come. */
async function reportOf(lines: AsyncIterable<Line>, color: boolean): Promise<WhatIfReport> {
  const bar = new ProgressBar(color);
  try {
    for await (const { progress, report, problem } of lines) {
      if (progress) bar.show({ name: 'what-if', progress });
      if (problem) throw new Problem(problem.status, problem);
      if (report) return report;
    }
  } finally {
    bar.end();
  }
  throw new Error('the ledger stopped before it had come to the end: ask again');
}

function policyIn(file: string): object {
  const policy: unknown = parsed(file);
  if (typeof policy === 'object' && policy !== null && !Array.isArray(policy)) return policy;
  throw new Usage(`${file} holds no JSON object: give the fields of a retry policy, such as {"delaysMs": [120000, 600000]}`);
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Usage(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const fieldsOf = (report: WhatIfReport): (readonly [string, string | number])[] => {
  const { period, policy, chains, recordedEnds, extraAttempts, addedWaitingMs: added, extraWaitingMs: extra } = report;
  return [
    ['delays asked about', policy.delaysMs.map(sayDuration).join(', ') || 'none'],
    ['period', `${sayTime(period.firstAt)} to ${sayTime(period.lastAt)}: ${count(report.events)} events of the log`],
    ['company', report.company ?? 'all'],
    ['failures', `${count(report.failures)} of ${count(chains)} chains`],
    ['unchanged', share(report.unchanged, chains)],
    ['other times', share(report.moved, chains)],
    ['tried again', `${share(report.saved, chains)}${endsOf(recordedEnds.saved)}${report.saved > 0 ? unknown : ''}`],
    ['given up sooner', `${share(report.givenUp, chains)}${endsOf(recordedEnds.givenUp)}`],
    ['more attempts', `${count(extraAttempts.atLeast)}, at most ${count(extraAttempts.atMost)}`],
    ['fewer attempts', count(report.fewerAttempts)],
    ['added waiting', added.count > 0 ? spreadOf(added) : 'none'],
    ['waiting of more', extra.count > 0 ? spreadOf(extra) : 'none'],
    ['retries by hand', report.byHand > 0 ? `${count(report.byHand)}, left as they were` : 'none'],
  ];
};

/** Nothing is claimed of attempts that were never made. */
const unknown = '; what would have come of it is not known';

const share = (part: number, whole: number): string => `${count(part)} (${Math.round((100 * part) / Math.max(1, whole))} %)`;

function endsOf(ends: ByEnd): string {
  const said = Object.entries(ends).flatMap(([end, times]) => (times > 0 ? [`${count(times)} ${end}`] : []));
  return said.length > 0 ? `, recorded as ${said.join(', ')}` : '';
}

const spreadOf = ({ count: times, sum, p50, p95 }: Spread): string =>
  `${signed(sum)} in all over ${count(times)} attempts, p50 ${signed(p50)}, p95 ${signed(p95)}`;

const signed = (ms: number): string => (ms < 0 ? `-${sayDuration(-ms)}` : sayDuration(ms));
