import type { TaskStatus } from '../../src/events/task.js';
import type { Draw } from '../projections/history.js';

export const agents = ['fixer', 'reviewer'] as const;
/** The first two are parts of the third; the last is fixer's own lane. */
export const tasks = ['ACME-1', 'ACME-2', 'ACME-3', 'heartbeat~fixer'] as const;
export const parents: Readonly<Record<string, string | null>> = { 'ACME-1': 'ACME-3', 'ACME-2': 'ACME-3' };
/** What it is that each may retry, and when; and after how many answers of agents nobody is woken any more. */
export const policies = {
  fixer: { retry: { delaysMs: [60_000, 600_000] }, heartbeat: { enabled: true }, maxAgentReplies: 2 },
  reviewer: { retry: { delaysMs: [60_000] }, maxAgentReplies: 2, requireComment: true },
} as const;
export type AgentName = (typeof agents)[number];
export type Who = 'person' | 'system' | AgentName;

export const endings = [
  { outcome: 'succeeded' },
  { outcome: 'failed', errorFamily: 'transient_upstream' },
  { outcome: 'failed', errorFamily: 'quota' },
  { outcome: 'failed', errorFamily: 'bug' },
  { outcome: 'failed', errorFamily: 'process_lost' },
  { outcome: 'timed_out' },
  { outcome: 'cancelled', intent: 'requeue' },
  { outcome: 'cancelled', intent: 'stop' },
] as const;
export type Ending = (typeof endings)[number];

/** What is asked of the ledger, or what happens around it. `pick` names a run or a demand by its place from the end. */
export type Step = { readonly lag?: true } & (
  | {
      readonly do: 'wake';
      readonly agent: AgentName;
      readonly task: string;
      readonly by: Who;
      readonly source: 'on_demand' | 'timer';
    }
  /** `meanwhile` happens when the runs are found and their lanes are taken, and none is started yet */
  | { readonly do: 'claim'; readonly agent: AgentName; readonly meanwhile?: Step }
  | { readonly do: 'finish'; readonly task: string; readonly ending: Ending; readonly stale?: true }
  | { readonly do: 'recordProcess'; readonly task: string }
  | { readonly do: 'beat'; readonly task: string }
  | { readonly do: 'cancelRun'; readonly task: string; readonly pick: number; readonly intent: 'stop' | 'requeue' }
  | { readonly do: 'scheduleRetry'; readonly task: string; readonly pick: number }
  | { readonly do: 'retryNow'; readonly task: string; readonly pick: number }
  | { readonly do: 'cancelWakeup'; readonly task: string; readonly pick: number }
  | { readonly do: 'promote' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'reap' }
  | { readonly do: 'assign'; readonly task: string; readonly agent: AgentName | null; readonly by: Who }
  | { readonly do: 'setStatus'; readonly task: string; readonly status: TaskStatus; readonly by: Who }
  | { readonly do: 'setBlockers'; readonly task: string; readonly blockedBy: readonly string[] }
  | ({ readonly do: 'comment'; readonly task: string; readonly by: Who; readonly mentions: readonly AgentName[] } & Wish)
  | { readonly do: 'removeComment'; readonly task: string; readonly pick: number }
  | { readonly do: 'pause'; readonly agent: AgentName; readonly interrupt: boolean }
  | { readonly do: 'resume'; readonly agent: AgentName }
  | { readonly do: 'terminate'; readonly agent: AgentName }
  | { readonly do: 'holdTask'; readonly task: string; readonly subtree: boolean; readonly interrupt: boolean }
  | { readonly do: 'releaseTask'; readonly task: string }
  | { readonly do: 'holdCompany'; readonly interrupt: boolean }
  | { readonly do: 'releaseCompany' }
  | { readonly do: 'react' }
);
export type Wish = { readonly reopen?: true; readonly resume?: true; readonly interrupt?: true };

/** How often each is drawn, beside the others. */
const weights: Readonly<Record<Step['do'], number>> = {
  wake: 10,
  claim: 24,
  finish: 22,
  recordProcess: 3,
  beat: 2,
  cancelRun: 2,
  scheduleRetry: 3,
  retryNow: 2,
  cancelWakeup: 2,
  promote: 5,
  advance: 5,
  reap: 3,
  assign: 3,
  setStatus: 6,
  setBlockers: 4,
  comment: 10,
  removeComment: 2,
  pause: 2,
  resume: 4,
  terminate: 0.2,
  holdTask: 2,
  releaseTask: 4,
  holdCompany: 1,
  releaseCompany: 3,
  react: 1,
};

/** Without these nothing would go on. */
const essential: readonly Step['do'][] = ['wake', 'claim', 'finish', 'promote', 'advance'];

/** Each sequence does without some kinds of steps and endings, so that others come together more often. */
export function drawSteps(draw: Draw, length: number): Step[] {
  const kinds = Object.keys(weights) as Step['do'][];
  const kept = kinds.filter((kind) => essential.includes(kind) || draw(3) > 0);
  const bag = kept.flatMap((kind) => Array.from({ length: Math.max(weights[kind] * 5, 1) }, () => kind));
  const ends = endings.filter(() => draw(3) > 0);
  const lag = draw(3) === 0 ? 2 : 6;
  return Array.from({ length }, () => ({
    ...drawStep(draw, bag, ends.length > 0 ? ends : endings),
    ...(draw(lag) === 0 && { lag: true as const }),
  }));
}

function drawStep(draw: Draw, bag: readonly Step['do'][], ends: readonly Ending[]): Step {
  const of = <T>(list: readonly T[]): T => list[draw(list.length)]!;
  const task = of(['ACME-1', 'ACME-1', 'ACME-2', 'ACME-3', 'heartbeat~fixer']);
  const agent = of(agents);
  const by = of<Who>(['person', 'person', 'system', 'fixer', 'reviewer']);
  const pick = draw(4);
  const interrupt = draw(3) > 0;
  const what = of(bag);
  switch (what) {
    case 'wake': {
      const own = task === 'heartbeat~fixer';
      return { do: what, task, agent: own ? 'fixer' : agent, by, source: draw(4) === 0 ? 'timer' : 'on_demand' };
    }
    case 'claim':
    case 'resume':
    case 'terminate':
      return { do: what, agent };
    case 'finish':
      return { do: what, task, ending: of(ends), ...(draw(12) === 0 && { stale: true as const }) };
    case 'recordProcess':
    case 'beat':
    case 'releaseTask':
      return { do: what, task };
    case 'cancelRun':
      return { do: what, task, pick, intent: of(['stop', 'requeue']) };
    case 'scheduleRetry':
    case 'retryNow':
    case 'cancelWakeup':
    case 'removeComment':
      return { do: what, task, pick };
    case 'advance':
      return { do: what, ms: of([10_000, 31_000, 61_000, 700_000]) };
    case 'assign':
      return { do: what, task: of(['ACME-1', 'ACME-2', 'ACME-3']), agent: draw(5) === 0 ? null : agent, by };
    case 'setStatus':
      return {
        do: what,
        task,
        status: of(['todo', 'todo', 'in_progress', 'done', 'done', 'cancelled', 'blocked', 'backlog']),
        by,
      };
    case 'setBlockers':
      return {
        do: what,
        task: of(['ACME-1', 'ACME-2', 'ACME-3']),
        blockedBy: of([[], ['ACME-1'], ['ACME-2'], ['ACME-3'], ['ACME-1', 'ACME-2']]),
      };
    case 'comment': {
      const wish = of<Wish>(by === 'person' ? [{}, {}, { reopen: true }, { resume: true }, { interrupt: true }] : [{}]);
      return { do: what, task, by, mentions: of([[], [], [agent], agents]), ...wish };
    }
    case 'pause':
      return { do: what, agent, interrupt };
    case 'holdTask':
      return { do: what, task, subtree: draw(2) === 0, interrupt };
    case 'holdCompany':
      return { do: what, interrupt };
    case 'promote':
    case 'reap':
    case 'releaseCompany':
    case 'react':
      return { do: what };
  }
}
