import type { Actor } from '../events/event.js';
import { silenceDecisions, silenceLevels, type SilenceDecision, type SilenceLevel } from '../events/run.js';
import type { Lane, LaneEvent, OpenRun, Silence } from '../events/lane.js';
import { decision, Rejected, type World } from './decider.js';
import { IsoTime, OneOf, Optional, RunId, Slug, Text } from './fields.js';
import { ofRun, openRun } from './lane.js';
import { runView } from './run-view.js';

const minute = 60_000;

/** How long a run may say nothing before it is pointed out, in ms. */
export const silenceAfter: Readonly<Record<SilenceLevel, number>> = { suspicious: 60 * minute, critical: 240 * minute };

/** A run that runs has said nothing since `lastOutputAt`; whoever watches says so, and whether it is told is decided here. */
export class ReportSilence {
  @Slug() company!: string;
  @RunId() run!: string;
  @IsoTime() lastOutputAt!: string;
}

export const reportSilence = decision({
  command: ReportSilence,
  ...ofRun,
  decide({ run: runId, lastOutputAt: since }: ReportSilence, lane: Lane, { now }: World): LaneEvent[] {
    const run = openRun(lane, runId);
    const level = levelAt(now.getTime() - Date.parse(since));
    const lastOutputAt = new Date(since).toISOString();
    if (run?.status !== 'running' || !level || !isNews(run.silence, level, lastOutputAt, now)) return [];
    return [{ type: 'RunWentSilent', data: { runId, agent: run.agent, level, lastOutputAt, silentAt: now.toISOString() } }];
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run), raised: outcome.events.length > 0 }),
});

const levelAt = (silentMs: number): SilenceLevel | undefined =>
  silenceLevels.findLast((level) => silentMs >= silenceAfter[level]);

/** Each level once; after a decision, when its time has run out; after a dismissal, when output came and stopped again. */
function isNews(known: Silence | null, level: SilenceLevel, lastOutputAt: string, now: Date): boolean {
  if (!known) return true;
  if (!known.decided)
    return lastOutputAt > known.lastOutputAt || silenceLevels.indexOf(level) > silenceLevels.indexOf(known.level);
  return known.decided.until === null ? lastOutputAt > known.decided.at : known.decided.until <= now.toISOString();
}

/** An operator has looked at a run that is silent: not now, it may go on, or it is no matter. Nothing is ended for it. */
export class DecideSilence {
  @Slug() company!: string;
  @RunId() run!: string;
  @OneOf(silenceDecisions) decision!: SilenceDecision;
  /** of a snooze, or instead of the half hour of `continue` */
  @Optional() @IsoTime() until?: string;
  @Optional() @Text(4_000) reason?: string;
}

export const decideSilence = decision({
  command: DecideSilence,
  ...ofRun,
  decide(command: DecideSilence, lane: Lane, { now, actor }: World): LaneEvent[] {
    refuseForbidden(command, actor);
    const { agent } = silentRun(lane, command.run);
    const { run: runId, decision: decided, reason = decided } = command;
    const data = { runId, agent, decision: decided, until: untilOf(command, now), reason, decidedAt: now.toISOString() };
    return [{ type: 'SilenceDecided', data }];
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run) }),
});

/** Above all not the one that says nothing. */
function refuseForbidden({ run, decision: decided }: DecideSilence, { type, id }: Actor): void {
  if (type !== 'user')
    throw new Rejected('not_permitted', `${type} ${id} may not ${decided} the silence of ${run}; a person may`);
}

function silentRun(lane: Lane, runId: string): OpenRun {
  const run = openRun(lane, runId);
  if (run?.status === 'running' && run.silence) return run;
  const why = run?.status === 'running' ? 'has not been silent for long' : `is ${run?.status ?? 'over'}`;
  throw new Rejected('run_not_silent', `${runId} ${why}; there is something to decide once it is pointed out as silent`);
}

function untilOf({ decision: decided, until }: DecideSilence, now: Date): string | null {
  if (decided === 'dismiss') return null;
  const time = until === undefined ? undefined : new Date(until);
  if (time && time > now) return time.toISOString();
  if (decided === 'continue' && !time) return new Date(now.getTime() + 30 * minute).toISOString();
  throw new Rejected(
    'data_refused',
    `until is ${until ?? 'missing'}: give a time that is still to come, such as one in two hours`,
  );
}
