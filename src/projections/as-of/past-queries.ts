import { taskOfRun, type Position, type RunId, type TaskId, type WakeupId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { commentPage, commentsAfter, type Comment } from '../comment-queries.js';
import type { Page, PageRequest } from '../paging.js';
import { runList, shownRuns, type AroundRuns, type Run, type RunFilters } from '../run-queries.js';
import { shownTask, type Task } from '../task-queries.js';
import { shownWakeups, wakeupList, type AroundWakeups, type Wakeup, type WakeupFilters } from '../wakeup-queries.js';
import { newestOf } from './newest-of.js';
import { refuseEarly, runThing, taskThing, wakeupThing, type Thing } from './not-yet.js';
import { Past } from './past.js';

/**
 * What the read models showed when they stood at a position, of one task and what is on it. Its stream is folded up to there, and where
 * something on it waits, those of its agents, its company and the tasks above it as well. One thing that came into being later is
 * `NotYet`; one that never did is undefined.
 */
export class PastQueries {
  constructor(private readonly store: EventStore) {}

  /** @throws NotYet */
  async run(company: string, run: RunId, at: Position): Promise<Run | undefined> {
    const past = this.at(company, at);
    const row = (await past.task(taskOfRun(run))).runs.find(({ run_id }) => run_id === run);
    if (!row) return this.missing(runThing(company, run), at);
    return (await shownRuns([row], aroundRuns(past)))[0];
  }

  /** Newest first. @throws InvalidCursor */
  async runs(company: string, task: TaskId, filters: RunFilters, page: PageRequest, at: Position): Promise<Page<Run>> {
    const past = this.at(company, at);
    const { rows, next } = newestOf((await past.task(task)).runs, runList(company, filters, page));
    return { items: await shownRuns(rows, aroundRuns(past)), next };
  }

  /** @throws NotYet */
  async task(company: string, task: TaskId, at: Position): Promise<Task | undefined> {
    const { lane } = await this.at(company, at).task(task);
    return lane ? shownTask(lane) : this.missing(taskThing(company, task), at);
  }

  /** Oldest first. @throws NotYet, InvalidCursor */
  async comments(company: string, task: TaskId, page: PageRequest, at: Position): Promise<Page<Comment> | undefined> {
    const { lane, comments } = await this.at(company, at).task(task);
    if (!lane) return this.missing(taskThing(company, task), at);
    const after = commentsAfter(page);
    return commentPage(
      comments.filter(({ position }) => position > after),
      page,
    );
  }

  /** The task that the demand is on has to be known. @throws NotYet */
  async wakeup(company: string, task: TaskId, wakeup: WakeupId, at: Position): Promise<Wakeup | undefined> {
    const past = this.at(company, at);
    const row = (await past.task(task)).wakeups.find(({ wakeup_id }) => wakeup_id === wakeup);
    if (!row) return this.missing(wakeupThing(company, task, wakeup), at);
    return (await shownWakeups([row], aroundWakeups(past, task)))[0];
  }

  /** Newest first. @throws InvalidCursor */
  async wakeups(company: string, task: TaskId, filters: WakeupFilters, page: PageRequest, at: Position): Promise<Page<Wakeup>> {
    const past = this.at(company, at);
    const { rows, next } = newestOf((await past.task(task)).wakeups, wakeupList(company, filters, page));
    return { items: await shownWakeups(rows, aroundWakeups(past, task)), next };
  }

  private at(company: string, position: Position): Past {
    return new Past(this.store, company, position);
  }

  private async missing(thing: Thing, at: Position): Promise<undefined> {
    await refuseEarly(this.store, thing, at);
    return undefined;
  }
}

const aroundRuns = (past: Past): AroundRuns => ({
  lanes: async (names) => {
    const streams = await Promise.all(names.map((name) => past.task(name)));
    return new Map(streams.flatMap(({ lane }) => (lane ? [[lane.task, lane]] : [])));
  },
  heldAmong: (works) => past.heldAmong(works),
});

const aroundWakeups = (past: Past, task: TaskId): AroundWakeups => ({
  wakeups: async (ids) => (await past.task(task)).wakeups.filter(({ wakeup_id }) => ids.includes(wakeup_id)),
  heldAmong: (works) => past.heldAmong(works),
});
