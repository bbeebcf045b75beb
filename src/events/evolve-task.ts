import { commentIdsIn, type Demand, type Lane } from './lane.js';
import { blockersAfter, type CommentAdded, type CommentId, type TaskFact } from './task.js';

/** What a task says of itself, and what is said on it. */
export function evolveTask(lane: Lane, event: TaskFact): Lane {
  switch (event.type) {
    case 'TaskOpened': {
      const { task, title, kind, status, priority, assignee, parent, labels } = event.data;
      return { ...lane, opened: true, task, title, kind, status, priority, assignee, parent, labels };
    }
    case 'TaskChanged': {
      const { title, priority, parent, labels } = event.data;
      return { ...lane, title, priority, parent, labels };
    }
    case 'TaskAssigned':
      return { ...lane, assignee: event.data.assignee };
    case 'TaskStatusChanged':
      return { ...lane, status: event.data.to, agentReplies: 0 };
    case 'BlockersSet':
      return { ...lane, blockers: event.data.blockers };
    case 'BlockerResolved':
    case 'BlockerReopened':
      return { ...lane, blockers: blockersAfter(lane.blockers, event) };
    case 'CommentAdded':
      return commented(lane, event.data);
    case 'CommentRemoved':
      return uncommented(lane, event.data.commentId);
    case 'TaskHeld': {
      const { reason, subtree, interrupt, heldAt } = event.data;
      return { ...lane, held: { reason, subtree, interrupt, since: heldAt } };
    }
    case 'TaskReleased':
      return { ...lane, held: null };
    case 'FireTaken':
      return lane;
  }
}

const keptComments = 1_000;

function commented(lane: Lane, { commentId: id, author, addedAt, wakeupIds }: CommentAdded['data']): Lane {
  const replies = { user: 0, agent: lane.agentReplies + 1, system: lane.agentReplies };
  return {
    ...lane,
    comments: [...lane.comments, { id, author, addedAt, wakeupIds, removed: false }].slice(-keptComments),
    agentReplies: replies[author.type],
    open: lane.open.map((run) =>
      run.status === 'running' && author.type === 'agent' && author.id === run.agent ? { ...run, commented: true } : run,
    ),
  };
}

/** Who has not been told of it yet never is, nor is a run that does the work of one that was. */
const uncommented = (lane: Lane, id: CommentId): Lane => ({
  ...lane,
  comments: lane.comments.map((comment) => (comment.id === id ? { ...comment, removed: true } : comment)),
  waiting: lane.waiting.map((waiting) => ({
    ...waiting,
    payload: toldWithout(waiting.payload, id),
    joined: waiting.joined.map((demand) => ({ ...demand, payload: toldWithout(demand.payload, id) })),
  })),
  open: lane.open.map((run) => ({ ...run, context: toldWithout(run.context, id) })),
  ended: lane.ended.map((run) => ({ ...run, context: toldWithout(run.context, id) })),
});

function toldWithout(told: Demand['payload'], id: CommentId): Demand['payload'] {
  const ids = commentIdsIn(told);
  return ids.includes(id) ? { ...told, commentIds: ids.filter((known) => known !== id) } : told;
}
