import type { Dispatch } from '../commands/dispatch.js';
import { requestWakeup } from '../commands/wakeup.js';
import { nameUuid } from '../events/event.js';
import type { DueHeartbeat } from '../projections/due-heartbeats.js';
import { heartbeatsBell } from './bells.js';
import { DueLoop, type DueList, type DuePorts } from './due-loop.js';

/**
 * Wakes agents on their own lanes, an interval after their last run. Several processes may do so: a tick is the same command whoever
 * sends it.
 */
export const heartbeats = (
  ports: DuePorts & { readonly dispatch: Pick<Dispatch, 'send'>; readonly dueHeartbeats: DueList<DueHeartbeat> },
): DueLoop<DueHeartbeat> =>
  new DueLoop(
    {
      name: 'the heartbeat timer',
      bell: heartbeatsBell,
      list: ports.dueHeartbeats,
      nameOf: ({ company, agent }) => `${agent} of ${company}`,
      carryOut: (due, before) => tick(ports.dispatch, due, before),
    },
    ports,
  );

async function tick(dispatch: Pick<Dispatch, 'send'>, { company, agent, dueAt }: DueHeartbeat, before: number): Promise<void> {
  await dispatch.send(
    requestWakeup,
    { company, agent, source: 'timer', trigger: 'system', reason: 'heartbeat_timer' },
    {
      commandId: nameUuid('heartbeat', company, agent, dueAt, ...(before > 0 ? [before] : [])),
      actor: { type: 'system', id: 'scheduler' },
    },
  );
}
