import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { Rejected, type CommandContext, type Sendable } from '../../src/commands/decider.js';
import { fireDueSlots } from '../../src/commands/routines/due-slots.js';
import { fireRoutine } from '../../src/commands/routines/fire.js';
import { rotateTriggerSecret } from '../../src/commands/routines/rotate-trigger-secret.js';
import { archiveRoutine, pauseRoutine, putRoutine, resumeRoutine } from '../../src/commands/routines/routine.js';
import { finishRun } from '../../src/commands/run.js';
import { setTaskStatus } from '../../src/commands/task.js';
import { itself, machine } from '../facts.js';
import type { VirtualLedger } from '../virtual-ledger.js';

const schedule = { id: 'hourly', kind: 'schedule', cron: '30 * * * *', zone: 'Europe/Berlin' };
const hook = { id: 'push', kind: 'webhook', signing: 'github_hmac', windowSec: 600 };
const api = { id: 'button', kind: 'api' };
const variables = [
  { name: 'branch', type: 'text', label: 'Branch', default: 'main' },
  { name: 'build', type: 'number', required: false, default: 17 },
  { name: 'fast', type: 'boolean', default: true },
  { name: 'stage', type: 'select', options: ['test', 'live'], default: 'test' },
  { name: 'note', type: 'textarea', required: false },
];
const exports = {
  routine: 'exports',
  title: 'Check the exports of {{branch}}',
  description: 'All that {{stage}} has',
  agent: 'fixer',
  priority: 'high',
  variables,
  fingerprintIgnore: ['delivery.id', 'items.*.seen'],
  spreadSec: 60,
  activeUntil: '2027-01-01T00:00:00.000Z',
  triggers: [schedule, hook, api],
};
const routine = 'exports';
/** Of the story's first day. */
const evening = '2026-04-20T18:00:00.000Z';

/** Everything that can happen to routines and to their fires. */
export async function routinesAndFires(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, putAgent, { agent: 'fixer' });
  await asked(ledger, putAgent, { agent: 'quiet', policy: { wakeOnDemand: false } });
  await defined(ledger);
  await onTime(ledger);
  await together(ledger);
  await refused(ledger);
  await concluded(ledger);
  await missed(ledger);
  await asked(ledger, archiveRoutine, { routine, reason: 'no more exports' });
}

async function defined(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, putRoutine, { routine: 'idle', title: 'Look around', triggers: [] });
  await asked(ledger, putRoutine, { ...exports, triggers: [] });
  await asked(ledger, putRoutine, exports);
  const once = { id: 'once', kind: 'schedule', cron: '0 0 1 1 *', dst: { gap: 'skip', overlap: 'twice' } };
  const dated = { activeFrom: '2026-04-01T00:00:00.000Z', activeUntil: '2026-12-31T00:00:00.000Z' };
  await asked(ledger, putRoutine, { routine: 'dated', title: 'Celebrate', agent: 'fixer', ...dated, triggers: [once] });
  await asked(ledger, rotateTriggerSecret, { routine, trigger: 'push', overlapSec: 600 });
}

async function onTime(ledger: VirtualLedger): Promise<void> {
  await minutes(ledger, 31);
  await asked(ledger, fireDueSlots, { routine }, { actor: machine });
  await ledger.work('fixer', { outcome: 'succeeded' });
  await minutes(ledger, 60);
  await asked(ledger, fireDueSlots, { routine }, { actor: machine });
}

/** Fires that come to a task that is open, at work, and closed unseen. */
async function together(ledger: VirtualLedger): Promise<void> {
  const payload = { delivery: { id: 7 }, items: [{ name: 'a', seen: true }] };
  await asked(ledger, fireRoutine, { routine, trigger: 'button', payload, variables: { stage: 'live' } });
  await asked(ledger, fireRoutine, { routine }, { actor: itself });
  await ledger.claim('fixer');
  await asked(ledger, fireRoutine, { routine });
  await asked(ledger, putRoutine, { ...exports, concurrency: 'skip_if_active' });
  await asked(ledger, fireRoutine, { routine });
  await ledger.send(setTaskStatus, { task: 'exports~1', status: 'done' });
  await asked(ledger, fireRoutine, { routine });
  await asked(ledger, putRoutine, { ...exports, concurrency: 'always_enqueue' });
  await asked(ledger, fireRoutine, { routine, source: 'webhook', trigger: 'push', payload }, { actor: machine });
}

const taskOf = (run: string): string => run.slice(0, run.lastIndexOf('.'));

async function refused(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, pauseRoutine, { routine, reason: 'holidays' });
  await asked(ledger, fireRoutine, { routine, trigger: 'button' });
  await asked(ledger, fireRoutine, { routine });
  await asked(ledger, resumeRoutine, { routine });
  await asked(ledger, putRoutine, { ...exports, triggers: [schedule, hook, { ...api, enabled: false }] });
  await asked(ledger, fireRoutine, { routine, trigger: 'button' });
  await asked(ledger, putRoutine, { ...exports, activeUntil: null, activeFrom: '2026-04-21T00:00:00.000Z' });
  await asked(ledger, fireRoutine, { routine, trigger: 'button' });
  await asked(ledger, putRoutine, { ...exports, variables: [...variables, { name: 'must', type: 'text' }], triggers: [hook] });
  await asked(ledger, fireRoutine, { routine, source: 'webhook', trigger: 'push' }, { actor: machine });
  await asked(ledger, putRoutine, { ...exports, agent: 'quiet' });
  await asked(ledger, fireRoutine, { routine });
  await asked(ledger, fireRoutine, { routine });
  await asked(ledger, putRoutine, exports);
}

async function concluded(ledger: VirtualLedger): Promise<void> {
  const { task } = (await ledger.answer(fireRoutine, { routine, payload: { of: 'its own' } })).fire;
  for (const status of ['blocked', 'todo', 'cancelled', 'todo', 'done']) await asked(ledger, setTaskStatus, { task, status });
  await asked(ledger, pauseAgent, { agent: 'fixer', reason: 'too loud' });
  await asked(ledger, fireRoutine, { routine, payload: { of: 'another' } });
  await asked(ledger, resumeAgent, { agent: 'fixer' });
  const failing = (await ledger.answer(fireRoutine, { routine, payload: { of: 'a third' } })).fire.task;
  for (let runs = await ledger.claim('fixer'); runs.length > 0; runs = await ledger.claim('fixer'))
    for (const one of runs)
      await asked(ledger, finishRun, { ...one, outcome: taskOf(one.run) === failing ? 'failed' : 'succeeded' });
}

async function missed(ledger: VirtualLedger): Promise<void> {
  const brief = { routine: 'brief', title: 'Look in', agent: 'fixer', activeUntil: evening, triggers: [schedule] };
  await asked(ledger, putRoutine, brief);
  await asked(ledger, pauseRoutine, { routine: 'brief' });
  await minutes(ledger, 5 * 60);
  await asked(ledger, resumeRoutine, { routine: 'brief' });
  await asked(ledger, putRoutine, { ...brief, description: 'And out' });
  await asked(ledger, fireDueSlots, { routine }, { actor: machine });
  await asked(ledger, putRoutine, { ...exports, catchUp: 'enqueue_missed_with_cap' });
  await minutes(ledger, 3 * 60);
  await asked(ledger, fireDueSlots, { routine }, { actor: machine });
  await asked(ledger, pauseRoutine, { routine });
  await minutes(ledger, 3 * 60);
  await asked(ledger, fireDueSlots, { routine }, { actor: machine });
  await minutes(ledger, 2 * 60);
  await asked(ledger, resumeRoutine, { routine, reason: 'back again' });
  await minutes(ledger, 2 * 60);
  await asked(ledger, putRoutine, { ...exports, triggers: [{ ...schedule, cron: '0 4 29 2 *' }, hook, api] });
}

/** What is asked, whether or not it is refused, and what the policies make of it. */
async function asked<C extends object, Answer>(
  ledger: VirtualLedger,
  kind: Sendable<C, Answer>,
  fields: { readonly [Field in keyof C]?: unknown },
  context?: Partial<CommandContext>,
): Promise<void> {
  await ledger.send(kind, fields, context).catch((error: unknown) => {
    if (!(error instanceof Rejected)) throw error;
  });
  await ledger.react();
}

async function minutes(ledger: VirtualLedger, count: number): Promise<void> {
  ledger.clock.advance(count * 60_000);
}
