import { cancelRun } from '../../src/commands/run.js';
import { lanes } from '../../src/events/evolve-lane.js';
import { putAgent } from '../../src/commands/agent.js';
import { putTask } from '../../src/commands/task.js';
import { taskStream } from '../../src/events/event.js';
import { LeaseBeats } from '../../src/workers/beats.js';
import { VirtualLedger } from '../virtual-ledger.js';

const renewed = { leaseMs: 30_000 };
const leases = { beat: async () => renewed };

it('asks no worker to end a run that its process has not heard of yet', async () => {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend it' });
  const slower = ledger.another();
  const beats = new LeaseBeats(leases, slower.ports.ledger);
  await slower.ports.ledger.streams.state(lanes, taskStream('acme', 'ACME-1'));
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend it', assignee: 'fixer' });
  const [claimed] = await ledger.claim('fixer');
  const beat = { company: 'acme', run: claimed!.run, token: claimed!.lease };
  expect(await beats.beat(beat)).toEqual(renewed);
  await slower.send(cancelRun, { run: claimed!.run, reason: 'enough' });
  expect(await beats.beat(beat)).toEqual({ ...renewed, cancelRequested: true });
});
