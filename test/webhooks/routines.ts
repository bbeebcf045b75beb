import { randomUUID } from 'node:crypto';
import { toWrite } from '../../src/commands/write.js';
import { routineStream } from '../../src/events/event.js';
import type { RoutineEvent, Signing, Trigger } from '../../src/events/routine.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { person } from '../facts.js';
import { definition } from '../routine-facts.js';

export const hook = (id: string, signing: Signing = 'bearer', windowSec = 300): Trigger => ({
  id,
  kind: 'webhook',
  enabled: true,
  signing,
  windowSec,
});

/** Writes what a PutRoutine would: a routine of acme that was never defined, or a change of one that has had so many events. */
export async function define(store: EventStore, routine: string, triggers: readonly Trigger[], revision = -1): Promise<void> {
  const data = { ...definition, routine, triggers };
  const time = '2026-04-01T08:00:00.000Z';
  const event: RoutineEvent =
    revision < 0
      ? { type: 'RoutineDefined', data: { ...data, definedAt: time } }
      : { type: 'RoutineChanged', data: { ...data, changedAt: time } };
  const context = { commandId: randomUUID(), actor: person };
  const [result] = await store.append([toWrite(routineStream('acme', routine), revision, [event], context, undefined)]);
  if (result?.outcome !== 'appended') throw new Error(`${routine}: ${JSON.stringify(result)}`);
}
