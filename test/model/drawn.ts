import fc from 'fast-check';
import { taskStatuses } from '../../src/events/task.js';
import { agents, endings, type Step, type Who } from './steps.js';

const issues = ['ACME-1', 'ACME-2', 'ACME-3'] as const;
const issue = fc.constantFrom(...issues);
const task = fc.constantFrom('ACME-1', ...issues, 'heartbeat~fixer');
const agent = fc.constantFrom(...agents);
const by = fc.constantFrom<Who>('person', 'person', 'system', 'fixer', 'reviewer');
const person = fc.constant('person' as const);
const pick = fc.nat({ max: 3 });
const mostly = fc.constantFrom(true, true, false);
const asked = fc.constant(true as const);
const mentions = fc.constantFrom([], [], ['fixer'] as const, ['reviewer'] as const, agents);
const blockedBy = fc.constantFrom([], ['ACME-1'], ['ACME-2'], ['ACME-3'], ['ACME-1', 'ACME-2'], ['ACME-2', 'ACME-3']);
const status = fc.constantFrom(...taskStatuses, 'todo' as const, 'done' as const);

const of = <Do extends Step['do']>(what: Do) => fc.constant(what);

/** How often each is asked, beside the others. */
const drawn: { readonly [Do in Step['do']]: readonly [number, fc.Arbitrary<Extract<Step, { do: Do }>>] } = {
  wake: [
    10,
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: of('wake'), agent, task: issue, by, source: fc.constantFrom('on_demand', 'timer') }),
      },
      fc.record({
        do: of('wake'),
        agent: fc.constant('fixer' as const),
        task: fc.constant('heartbeat~fixer'),
        by,
        source: fc.constantFrom('on_demand', 'timer'),
      }),
    ),
  ],
  claim: [26, fc.record({ do: of('claim'), agent })],
  finish: [
    24,
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ do: of('finish'), task, ending: fc.constantFrom(...endings) }) },
      fc.record({ do: of('finish'), task, ending: fc.constantFrom(...endings), stale: asked }),
    ),
  ],
  recordProcess: [3, fc.record({ do: of('recordProcess'), task })],
  beat: [2, fc.record({ do: of('beat'), task })],
  cancelRun: [2, fc.record({ do: of('cancelRun'), task, pick, intent: fc.constantFrom('stop', 'requeue') })],
  scheduleRetry: [3, fc.record({ do: of('scheduleRetry'), task, pick })],
  retryNow: [2, fc.record({ do: of('retryNow'), task, pick })],
  cancelWakeup: [2, fc.record({ do: of('cancelWakeup'), task, pick })],
  promote: [5, fc.record({ do: of('promote') })],
  advance: [5, fc.record({ do: of('advance'), ms: fc.constantFrom(10_000, 31_000, 61_000, 700_000) })],
  reap: [3, fc.record({ do: of('reap') })],
  assign: [3, fc.record({ do: of('assign'), task: issue, agent: fc.option(agent, { freq: 4 }), by })],
  setStatus: [6, fc.record({ do: of('setStatus'), task: issue, status, by })],
  setBlockers: [4, fc.record({ do: of('setBlockers'), task: issue, blockedBy })],
  comment: [
    14,
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: of('comment'), task, by, mentions }) },
      // Agents that answer each other.
      { weight: 5, arbitrary: fc.record({ do: of('comment'), task: fc.constant('ACME-1'), by: agent, mentions }) },
      fc.record({ do: of('comment'), task, by: person, mentions, reopen: asked }),
      fc.record({ do: of('comment'), task, by, mentions, resume: asked }),
      fc.record({ do: of('comment'), task, by: person, mentions, interrupt: asked }),
    ),
  ],
  removeComment: [2, fc.record({ do: of('removeComment'), task, pick })],
  pause: [2, fc.record({ do: of('pause'), agent, interrupt: mostly })],
  resume: [4, fc.record({ do: of('resume'), agent })],
  terminate: [0.1, fc.record({ do: of('terminate'), agent })],
  holdTask: [2, fc.record({ do: of('holdTask'), task, subtree: fc.boolean(), interrupt: mostly })],
  releaseTask: [4, fc.record({ do: of('releaseTask'), task })],
  holdCompany: [1, fc.record({ do: of('holdCompany'), interrupt: mostly })],
  releaseCompany: [3, fc.record({ do: of('releaseCompany') })],
  react: [1, fc.record({ do: of('react') })],
};

type Kind = Step['do'];
const everything = Object.keys(drawn) as Kind[];
/** Where some kinds of steps never come, others meet more often. */
const diets: readonly (readonly Kind[])[] = [
  ['wake', 'claim', 'finish', 'recordProcess', 'beat', 'cancelRun', 'scheduleRetry', 'retryNow', 'promote', 'advance', 'reap'],
  ['claim', 'finish', 'setStatus', 'setBlockers', 'assign', 'wake'],
  ['claim', 'finish', 'comment', 'removeComment', 'cancelWakeup', 'setStatus', 'assign'],
  ['claim', 'finish', 'wake', 'pause', 'resume', 'holdTask', 'releaseTask', 'holdCompany', 'releaseCompany', 'terminate'],
];

const among = (kinds: readonly Kind[]): fc.Arbitrary<Step> =>
  fc.oneof(...kinds.map((kind) => ({ weight: drawn[kind][0] * 10, arbitrary: drawn[kind][1] as fc.Arbitrary<Step> })));

/** What happens behind a claim's back has nothing to do with leases. */
const meanwhile = among([
  'wake',
  'cancelRun',
  'cancelWakeup',
  'assign',
  'setStatus',
  'setBlockers',
  'comment',
  'pause',
  'holdTask',
  'holdCompany',
  'terminate',
]);

/** After one in `rarely` nothing reacts yet, and as many claims are not alone. */
const steps = (kinds: readonly Kind[], rarely: number): fc.Arbitrary<Step> => {
  const luck = fc.nat({ max: rarely - 1 });
  return fc.tuple(among(kinds), meanwhile, luck, luck).map(([step, other, lags, meets]) => ({
    ...step,
    ...(step.do === 'claim' && meets === 0 && { meanwhile: other }),
    ...(lags === 0 && { lag: true as const }),
  }));
};

/** The same, of one lane. */
const narrowed = <S extends Step>(step: S): S => ('task' in step ? { ...step, task: 'ACME-1' } : step);

/** How steps are drawn for a sequence: half of them of everything. */
export const menus: readonly fc.Arbitrary<Step>[] = [
  ...diets.map((kinds) => steps(kinds, 2)),
  ...diets.map((kinds) => steps(kinds, 5).map(narrowed)),
  ...diets.flatMap(() => [steps(everything, 5), steps(everything, 5)]),
];
