import { buildAsOf, dropAsOf } from '../../src/commands/operations/as-of.js';
import { cutOver, dropReadModel, rollBack } from '../../src/commands/operations/cut-over.js';
import type { Decision } from '../../src/commands/decider.js';
import { dropParkedReaction } from '../../src/commands/operations/parked-reaction.js';
import { retryParkedStream, skipParkedEvent, type ParkedStream } from '../../src/commands/operations/parked.js';
import { abandonRebuild, pauseRebuild, resumeRebuild, startRebuild } from '../../src/commands/operations/rebuild.js';
import { recordComparison, recordFailure, recordFilled } from '../../src/commands/operations/rebuild-steps.js';
import { recordMove, sealStore, unsealStore } from '../../src/commands/operations/store.js';
import { nameUuid } from '../../src/events/event.js';
import type { Comparison, Operations, OperationsEvent } from '../../src/events/operations.js';
import { person } from '../facts.js';
import type { VirtualLedger } from '../virtual-ledger.js';

const projection = 'run_status';
const live = 'run_status_v1';
const position = '0000000000000042';
const none = { rows: 0, samples: [] };
const alike: Comparison = {
  position,
  liveRows: 7,
  rebuiltRows: 7,
  onlyLive: none,
  onlyRebuilt: none,
  changed: none,
  columns: [{ column: 'error', rows: 2, meant: true }],
  onlyLiveColumns: ['pid'],
  onlyRebuiltColumns: ['process'],
  agrees: true,
};
const key = ['acme', 'ACME-1.1'];
const different: Comparison = {
  ...alike,
  onlyLive: { rows: 1, samples: [{ key }] },
  changed: { rows: 1, samples: [{ key, columns: [{ column: 'status', live: null, rebuilt: 'failed' }] }] },
  agrees: false,
};
const found: ParkedStream = {
  readModel: live,
  stream: 'task-acme.ACME-12',
  position,
  revision: 7,
  eventId: nameUuid('an event that could not be folded'),
  error: 'TypeError: no such thing',
};
const { readModel, stream } = found;

/** What an operator does with read models, as whoever carries it out records it. */
export async function operatorsAtWork({ ports: { ledger } }: VirtualLedger): Promise<void> {
  let sent = 0;
  const send = <C extends object, Answer>(
    kind: Decision<C, Operations, OperationsEvent, Answer>,
    fields: { readonly [Field in keyof C]?: unknown },
  ) => {
    const command = Object.assign(new kind.command(), fields);
    return ledger.handle(kind, command, { commandId: nameUuid('sent by an operator', ++sent), actor: person });
  };
  const rebuild = 'run_status_v2';
  const start = { projection, purpose: 'cut_over', live };
  await send(startRebuild, { ...start, version: 2, reason: 'a column more' });
  await send(pauseRebuild, { rebuild });
  await send(resumeRebuild, { rebuild, eventsPerSecond: 1_000 });
  await send(resumeRebuild, { rebuild, eventsPerSecond: null });
  await send(recordFilled, { rebuild, position, events: 42, rows: 7 });
  await send(recordComparison, { rebuild, comparison: alike });
  await send(cutOver, { rebuild });
  await send(rollBack, { projection });
  await send(cutOver, { rebuild, reason: 'once more' });
  await send(dropReadModel, { projection, readModel: live });
  await send(startRebuild, { ...start, version: 3, eventsPerSecond: 500 });
  await send(recordFailure, { rebuild: 'run_status_v3', error: 'TypeError: no such thing' });
  await send(startRebuild, { ...start, version: 2, live: rebuild, purpose: 'verify' });
  await send(recordFilled, { rebuild: 'run_status_v2_g2', position, events: 42, rows: 7 });
  await send(recordComparison, { rebuild: 'run_status_v2_g2', comparison: different });
  await send(startRebuild, { ...start, version: 2 });
  await send(abandonRebuild, { rebuild: 'run_status_v2_g3' });
  await send(retryParkedStream, { readModel, stream, found, events: 3, reason: 'mended' });
  await send(skipParkedEvent, { readModel, stream, found, reason: 'written by a bug' });
  const reaction = nameUuid('a reaction that could not be carried out');
  const waiting = { policy: 'holds', reaction, stream, position, command: 'InterruptRun', error: 'TypeError: no such thing' };
  await send(dropParkedReaction, { reaction, reason: 'mended by hand', found: waiting });
  await send(buildAsOf, { schema: 'audit_2026_04', projection, position, built: [projection, 'tasks'] });
  await send(dropAsOf, { schema: 'audit_2026_04' });
  const [log, copy] = [nameUuid('a log'), nameUuid('its copy')];
  await send(sealStore, { log, reason: 'moved to another store' });
  await send(unsealStore, { log });
  await send(sealStore, { log });
  const readModels = { [rebuild]: { projection, readModel: 'run_status_v2_g4' } };
  await send(recordMove, { from: log, to: copy, events: 4_711, digest: 'c0ffee'.padEnd(64, '0'), readModels });
}
