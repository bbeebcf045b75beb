import { pauseAgent, putAgent, terminateAgent } from '../../src/commands/agent.js';
import { setBlockers } from '../../src/commands/blockers.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { putTask, setTaskStatus } from '../../src/commands/task.js';
import { taskStream } from '../../src/events/event.js';
import { holdTask } from '../../src/commands/hold.js';
import { reaction, type Policy } from '../../src/policies/policy.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { VirtualPolicies, type PolicyStep } from '../virtual-policies.js';

const tasks = ['GOAL', 'A', 'B', 'C', 'D'];

/** Two agents with work of every kind, and all that policies react to. */
async function happen(ledger: VirtualLedger): Promise<void> {
  for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent });
  await ledger.send(putTask, { task: 'GOAL', title: 'GOAL', assignee: 'fixer' });
  for (const task of ['A', 'B']) await ledger.send(putTask, { task, title: task, parent: 'GOAL' });
  await ledger.send(putTask, { task: 'C', title: 'C', assignee: 'fixer', blockedBy: ['A', 'B'] });
  await ledger.send(putTask, { task: 'D', title: 'D', assignee: 'reviewer' });
  await ledger.send(setBlockers, { task: 'GOAL', blockedBy: ['C'] });
  await ledger.claim('reviewer');
  await ledger.send(holdCompany, {});
  await ledger.send(releaseCompany, {});
  for (const task of ['A', 'B']) await ledger.send(setTaskStatus, { task, status: 'done' });
  await ledger.send(pauseAgent, { agent: 'fixer' });
  await ledger.send(terminateAgent, { agent: 'reviewer' });
}

const ids = async (ledger: VirtualLedger) => (await ledger.log()).map(({ id }) => id).sort();
const known = (ledger: VirtualLedger) => Promise.all(tasks.map((task) => ledger.lane(task)));

/** What is done by policies that die before their step of this number, and go on in another process. */
async function dyingAt(number: number) {
  const ledger = new VirtualLedger();
  await happen(ledger);
  const passed: PolicyStep[] = [];
  ledger.reactions.beforeStep = (step) => {
    if (passed.push(step) === number) throw new Error('killed');
  };
  const isKilled = await ledger.react().then(
    () => false,
    ({ message }: Error) => message === 'killed',
  );
  const other = ledger.another();
  await other.react();
  return { ledger, steps: passed.length, isKilled };
}

describe('a term of a policy', () => {
  it('leaves nothing out and does nothing twice, before whichever reaction or checkpoint it is cut off', async () => {
    const undisturbed = await dyingAt(Infinity);
    const [wanted, state] = [await ids(undisturbed.ledger), await known(undisturbed.ledger)];
    expect(undisturbed.steps).toBeGreaterThan(20);
    for (let number = 1; number <= undisturbed.steps; number++) {
      const { ledger, isKilled } = await dyingAt(number);
      expect({ number, isKilled, ids: await ids(ledger) }).toEqual({ number, isKilled: true, ids: wanted });
      expect(await known(ledger)).toEqual(state);
    }
  });

  it('finds nothing left to do when it comes by everything once more', async () => {
    const { ledger } = await dyingAt(Infinity);
    ledger.reactions.forgetCheckpoints();
    expect(await ledger.react()).toBe(0);
  });

  it('moves its checkpoint when all reactions to an event are sent, and once when there are none', async () => {
    const steps: string[] = [];
    const hold = (company: string, task: string, reason: string) =>
      reaction(holdTask, { company, task, reason }, taskStream(company, task));
    const twice: Policy = {
      name: 'twice',
      indexes: [],
      on: { TaskOpened: ({ company }) => ['A', 'B'].map((task) => hold(company, task, task)) },
    };
    const reactions = new VirtualPolicies([twice]);
    reactions.beforeStep = ({ about }) => void steps.push(about);
    const ledger = new VirtualLedger({ reactions });
    for (const task of ['A', 'B']) await ledger.send(putTask, { task, title: task });
    await ledger.react();
    expect(steps).toEqual(['reaction', 'reaction', 'checkpoint', 'reaction', 'reaction', 'checkpoint', 'checkpoint']);
  });
});
