import type { AgentId, Recorded, RoutineId, RunId, TaskId } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { FireId } from '../../src/events/routine.js';
import { PolicyIndex, type BlockerEdge, type Child, type RunningWhere } from '../../src/policies/policy.js';
import { comments } from '../../src/projections/comments.js';
import { holds } from '../../src/projections/holds.js';
import { routineFires } from '../../src/projections/routines/routine-fires.js';
import { runStatus } from '../../src/projections/run-status.js';
import { taskGraph, type TaskGraphRow } from '../../src/projections/task-graph.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { heldBy } from '../folded-holds.js';
import { Folding } from '../folding.js';

type Log = readonly Recorded<LedgerEvent>[];

/** What `policy-index.ts` says in SQL. */
export class FoldedIndex extends PolicyIndex {
  private readonly graph = new Folding(taskGraph);
  private readonly runStatus = new Folding(runStatus);
  private readonly demands = new Folding(wakeupRequests);
  private readonly holds = new Folding(holds);
  private readonly comments = new Folding(comments);
  private readonly fires = new Folding(routineFires);

  constructor(log: Log = []) {
    super();
    this.follow(log);
  }

  /** What came after all that it has been told. */
  follow(events: Log): void {
    for (const folding of [this.graph, this.runStatus, this.demands, this.holds, this.comments, this.fires])
      folding.follow(events);
  }

  async dependentsOf(company: string, blocker: TaskId): Promise<TaskId[]> {
    return this.tasks(company)
      .filter(({ blockers }) => blockers.some(({ task }) => task === blocker))
      .map(({ task }) => task);
  }

  async ringThrough(company: string, begin: TaskId): Promise<BlockerEdge[] | undefined> {
    const edges = this.tasks(company).flatMap(({ task, blockers }) =>
      blockers.filter((edge) => edge.open).map(({ task: blocker, setAt }) => ({ task, blocker, setAt })),
    );
    const shorter = (ring: BlockerEdge[] | undefined, other: BlockerEdge[] | undefined) =>
      ring && (!other || ring.length <= other.length) ? ring : other;
    const wayBack = (from: TaskId, way: BlockerEdge[]): BlockerEdge[] | undefined =>
      edges
        .filter(({ task, blocker }) => task === from && !way.some((edge) => edge.task === blocker && blocker !== begin))
        .map((edge) => (edge.blocker === begin ? [...way, edge] : wayBack(edge.blocker, [...way, edge])))
        .reduce(shorter, undefined);
    return wayBack(begin, []);
  }

  async parentOf(company: string, task: TaskId): Promise<TaskId | null> {
    return this.task(company, task)?.parent ?? null;
  }

  async childrenOf(company: string, parent: TaskId): Promise<Child[]> {
    const said = this.comments.all().filter((row) => row.company === company && row.removed_at === null);
    return this.tasks(company)
      .filter((row) => row.parent === parent)
      .map(({ task, title, status, moved_at: movedAt }) => {
        const summary = said.findLast((comment) => comment.task === task)?.body ?? '';
        return { task, title, status, movedAt, summary };
      });
  }

  async running(company: string, { agent, task, subtree = false }: RunningWhere): Promise<{ task: TaskId; runId: RunId }[]> {
    const isMeant = (lane: TaskId | null, passed: readonly TaskId[] = []): boolean =>
      lane !== null &&
      !passed.includes(lane) &&
      (lane === task || (subtree && isMeant(this.task(company, lane)?.parent ?? null, [...passed, lane])));
    return this.runs(company)
      .filter((run) => run.status === 'running' && (agent === undefined || run.agent === agent))
      .filter((run) => task === undefined || isMeant(run.task))
      .map((run) => ({ task: run.task, runId: run.run_id }));
  }

  async isHeld(company: string, task: TaskId, agent: AgentId): Promise<boolean> {
    const held = this.held();
    const isPaused = held.agent({ company, agent }) && !held.isTerminated({ company, agent });
    return held.lane({ company, task }) || isPaused;
  }

  async isTerminated(company: string, agent: AgentId): Promise<boolean> {
    return this.held().isTerminated({ company, agent });
  }

  async lanesOf(company: string, agent: AgentId): Promise<TaskId[]> {
    const own = [...this.runs(company), ...this.waiting(company)].filter((row) => row.agent === agent);
    return [...new Set(own.map(({ task }) => task))].sort();
  }

  async tasksOf(company: string, agent: AgentId): Promise<TaskId[]> {
    return this.tasks(company)
      .filter((row) => row.assignee === agent && isToDo(row))
      .map(({ task }) => task);
  }

  async isIdle(company: string, task: TaskId): Promise<boolean> {
    const row = this.task(company, task);
    const isOpen = [...this.runs(company), ...this.waiting(company)].some((open) => open.task === task);
    return row !== undefined && isToDo(row) && row.assignee !== null && !isOpen;
  }

  async isFirePending(company: string, routine: RoutineId, fire: FireId): Promise<boolean> {
    const found = this.fires.all().find((row) => row.company === company && row.routine === routine && row.fire === fire);
    return found?.outcome === 'pending';
  }

  private held() {
    return heldBy(this.holds.all(), this.graph.all());
  }

  private tasks(company: string): TaskGraphRow[] {
    const rows = this.graph.all().filter((row) => row.company === company);
    return rows.sort((a, b) => (a.task < b.task ? -1 : 1));
  }

  private task(company: string, task: TaskId): TaskGraphRow | undefined {
    return this.tasks(company).find((row) => row.task === task);
  }

  /** Those that are open. */
  private runs(company: string) {
    const rows = this.runStatus.all().filter((run) => run.company === company && run.finished_at === null);
    return rows.sort((a, b) => (a.task < b.task ? -1 : 1));
  }

  private waiting(company: string) {
    return this.demands.all().filter((row) => row.company === company && row.status === 'deferred');
  }
}

const isToDo = ({ status }: TaskGraphRow): boolean => status === 'todo' || status === 'in_progress';
