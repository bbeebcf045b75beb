import type { Dispatch } from '../commands/dispatch.js';
import { requestWakeup } from '../commands/wakeup.js';
import type { DueHeartbeat } from '../projections/due-heartbeats.js';
import { heartbeatsBell } from './bells.js';
import { DueLoop, type DueList, type DuePorts } from './due-loop.js';
import type { Loop } from './loop.js';

/** Wakes agents on their own lanes, an interval after their last run. */
export const heartbeats = ({
  dispatch,
  dueHeartbeats,
  ...ports
}: DuePorts & { readonly dispatch: Pick<Dispatch, 'send'>; readonly dueHeartbeats: DueList<DueHeartbeat> }): Loop =>
  new DueLoop(
    {
      name: 'the heartbeat timer',
      bell: heartbeatsBell,
      list: dueHeartbeats,
      keyOf: ({ company, agent }) => [company, agent],
      commands: 'heartbeat',
      carryOut: ({ company, agent }, context) =>
        dispatch.send(requestWakeup, { company, agent, source: 'timer', trigger: 'system', reason: 'heartbeat_timer' }, context),
    },
    ports,
  );
