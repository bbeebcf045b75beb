import type { Lane, LaneEvent } from '../events/lane.js';
import type { Outcome } from './decider.js';

/** The task as its lane has it now, with the demands that the command has made and the runs that it has ended. */
export function taskAnswer(
  { company, task }: { company: string; task: string },
  { state, events, revision }: Outcome<Lane, LaneEvent>,
) {
  const { title, kind, status, priority, assignee, parent, labels, blockers, held } = state;
  return {
    task: {
      id: task,
      company,
      title,
      kind,
      status,
      priority,
      assignee,
      parent,
      labels,
      blockers,
      ...(held && { held }),
      revision,
    },
    wakeups: events.flatMap((event) => (event.type === 'WakeupRequested' ? [event.data.wakeupId] : [])),
    cancelledRuns: events.flatMap((event) => (event.type === 'RunCancelled' ? [event.data.runId] : [])),
  };
}
