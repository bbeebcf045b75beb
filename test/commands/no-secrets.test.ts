import 'reflect-metadata';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { nameCompany } from '../../src/commands/company.js';
import { scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { putTask } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { VirtualLedger } from '../virtual-ledger.js';

const key = 'sk-live-4711abcdefgh';
const text = `asked for with ${key}`;

it('keeps no secret that somebody typed, or a process wrote', async () => {
  const ledger = new VirtualLedger();
  const task = 'ACME-12';
  await ledger.send(nameCompany, { name: text });
  await ledger.send(putAgent, { agent: 'fixer', name: text, adapter: text });
  await ledger.send(pauseAgent, { agent: 'fixer', reason: text });
  await ledger.send(resumeAgent, { agent: 'fixer', reason: text });
  await ledger.send(putTask, { task, title: text, labels: ['ci', text], assignee: 'fixer' });
  const said = { error: text, errorCode: text, retryAfter: text, liveness: text, result: { text }, usage: { text } };
  const run = await ledger.work('fixer', { outcome: 'failed', ...said });
  await ledger.send(scheduleRetry, { run, reason: text });
  await ledger.send(cancelRun, { run: 'ACME-12.2', reason: text });
  const { wakeup } = await ledger.answer(requestWakeup, { agent: 'fixer', task, reason: text, payload: { text } });
  await ledger.send(cancelWakeup, { task, wakeup: wakeup?.id, reason: text });
  await ledger.send(requestWakeup, { agent: 'fixer', task, payload: { text } });
  await ledger.work('fixer', { outcome: 'cancelled', ...said });
  await ledger.send(terminateAgent, { agent: 'fixer', reason: text });
  const log = JSON.stringify(await ledger.log());
  expect(log).not.toContain(key);
  expect(log).toContain('asked for with ***REDACTED***');
});

it('leaves no half of a secret where an error is cut', async () => {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-12', title: 'Mend the export', assignee: 'fixer' });
  await ledger.work('fixer', { outcome: 'failed', error: `${'x'.repeat(8_148)} ${key}${'a'.repeat(100)}` });
  const { error } = await ledger.last('ACME-12', 'RunFailed');
  expect(error).not.toContain('sk-live');
});

it('alters nothing that is known by its name', async () => {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: key });
  await ledger.send(putTask, { task: key, title: 'Mend the export', assignee: key });
  const [claimed] = await ledger.claim(key, { requestId: key });
  await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
  expect(await ledger.last(key, 'RunSucceeded')).toMatchObject({ agent: key, runId: `${key}.1` });
});
