import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { putAgent } from '../../dist/commands/agent.js';
import { Ledger } from '../../dist/commands/ledger.js';
import { putRoutine } from '../../dist/commands/routines/routine.js';
import { routineStream } from '../../dist/events/event.js';
import { MemoryEventStore } from '../../dist/event-store/memory.js';
import { agent, company } from './history.mjs';

const template = 'R-0';

/** What the decider makes of a routine that comes once a year, to be copied: `copy(name, { due, spreadSec })` answers a write. */
export async function routineCopies() {
  const store = new MemoryEventStore();
  const ledger = new Ledger(store, { now: () => new Date(), random: () => 0.5 });
  const send = (decision, fields) =>
    ledger.handle(decision, Object.assign(new decision.command(), { company, ...fields }), {
      commandId: randomUUID(),
      actor: { type: 'user', id: 'operator' },
    });
  await send(putAgent, { agent });
  const triggers = [{ id: 'tick', kind: 'schedule', cron: '@yearly' }];
  await send(putRoutine, { routine: template, title: `Make the report of ${template}`, agent, triggers });
  const [{ type, data, schema, metadata }] = await store.readStream(routineStream(company, template));
  return (name, { due, spreadSec }) => {
    const copied = JSON.parse(JSON.stringify(data).replaceAll(template, name));
    const [tick] = copied.triggers;
    const events = [{ id: randomUUID(), type, schema, data: { ...copied, spreadSec, triggers: [{ ...tick, nextSlot: due }] } }];
    const commandId = randomUUID();
    return { stream: routineStream(company, name), expectedRevision: 'no-stream', events, metadata: { ...metadata, commandId } };
  };
}
