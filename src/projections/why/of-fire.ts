import { fireRefusalInWords } from '../in-words.js';
import type { FireRow } from '../routines/routine-fires.js';
import { missedInWords, type Missed } from '../routines/routine-story.js';
import type { FireFacts } from './facts.js';
import { pendingReasons } from './of-pending-fire.js';
import type { Reason } from './reason.js';

/** Why a fire stands where it stands. What keeps the task that it has led to is told by others. */
export function reasonsOfFire(facts: FireFacts): Reason[] {
  const { fire } = facts;
  switch (fire.outcome) {
    case 'pending':
      return pendingReasons(facts);
    case 'created':
      return [{ code: 'DONE', sentence: `${fire.fire} has opened ${fire.task}${ending(fire)}`, since: settled(fire) }];
    case 'coalesced':
      return [coalesced(facts)];
    case 'skipped':
      return [skipped(facts)];
    case 'suppressed':
      return [suppressed(facts)];
    case 'failed':
      return [failed(facts)];
    case 'caught_up':
      return [missed(facts)];
  }
}

const settled = ({ settled_at, fired_at }: FireRow): string => settled_at ?? fired_at;

const ending = ({ concluded }: FireRow): string => (concluded ? `, which is ${concluded.status}` : '');

const coalesced = ({ fire, lead = fire }: FireFacts): Reason => ({
  code: 'COALESCED_INTO',
  sentence: `${fire.fire} has joined ${fire.task}, which ${fire.coalesced_into} has opened${lead.concluded ? `, and which is ${lead.concluded.status}` : ''}`,
  since: settled(fire),
});

const skipped = (facts: FireFacts): Reason => ({
  code: 'SKIPPED',
  sentence: `nothing comes of ${facts.fire.fire} on ${facts.fire.task}: ${fireRefusalInWords(facts.fire.code ?? 'skipped')}`,
  since: settled(facts.fire),
  ...again(facts),
});

const suppressed = (facts: FireFacts): Reason => ({
  code: 'ROUTINE_SUPPRESSED',
  sentence: `nothing comes of ${facts.fire.fire} (${facts.fire.code}): ${facts.fire.reason}${byNow(facts)}`,
  since: settled(facts.fire),
  ...lifting(facts),
});

/** The reason was given then, and it may be otherwise now. */
function byNow({ fire, routine: { routine, status } }: FireFacts): string {
  if (status === 'archived') return `; ${routine} is archived by now`;
  return fire.code === 'routine_paused' && status === 'active' ? `; ${routine} goes on by now` : '';
}

/** While what suppressed it is still so, what would end that. */
function lifting(facts: FireFacts): Partial<Reason> {
  const { fire, routine, now } = facts;
  const { routine: name, active_from: from, active_until: until } = routine;
  if (routine.status === 'archived') return {};
  if (fire.code === 'routine_paused' && routine.status === 'paused')
    return { since: routine.since, clearedBy: `whoever resumes ${name}`, action: `ledger routines resume ${name}` };
  if (fire.code === 'trigger_disabled' && isOff(facts))
    return { clearedBy: `whoever switches ${fire.trigger} on`, action: `ledger routines set ${name} --enable ${fire.trigger}` };
  if (fire.code === 'outside_window' && from !== null && now < from) return { ...again(facts), clearsAt: from };
  if (fire.code === 'outside_window' && until !== null && now >= until)
    return { clearedBy: 'whoever lets it go on', action: `ledger routines set ${name} --active-until <time>` };
  return again(facts);
}

const isOff = ({ fire, routine }: FireFacts): boolean =>
  routine.triggers.some(({ id, enabled }) => id === fire.trigger && !enabled);

/** By hand it is fired at any time. */
function again({ routine: { routine, status } }: FireFacts): Pick<Reason, 'clearedBy' | 'action'> {
  return status === 'archived' ? {} : { clearedBy: 'whoever fires it again', action: `ledger routines fire ${routine}` };
}

/** Of one that has opened its task first, the task says what would do. */
function failed(facts: FireFacts): Reason {
  const { fire, task, code, reason } = facts.fire;
  const where = task === null ? '' : ` on ${task}`;
  const said: Reason = {
    code: 'NON_RETRYABLE',
    sentence: `${fire} failed${where} (${code}): ${reason}`,
    since: settled(facts.fire),
  };
  return task === null ? { ...said, ...remedy(facts) } : said;
}

function remedy(facts: FireFacts): Pick<Reason, 'clearedBy' | 'action'> {
  const { fire, routine } = facts;
  if (routine.status === 'archived') return {};
  const set = `ledger routines set ${routine.routine}`;
  switch (fire.code) {
    case 'variables_missing':
    case 'variable_invalid':
      return { clearedBy: 'whoever gives them', action: `ledger routines fire ${routine.routine} --var <name>=<value>` };
    case 'agent_required':
    case 'agent_not_found':
    case 'agent_terminated':
      return { clearedBy: 'another agent', action: `${set} --agent <agent>` };
    case 'title_too_long':
      return { clearedBy: 'a shorter template', action: `${set} --title <template>` };
    case 'description_too_long':
      return { clearedBy: 'a shorter template', action: `${set} --description <template>` };
    default:
      return again(facts);
  }
}

const missed = (facts: FireFacts): Reason => ({
  code: 'SKIPPED',
  sentence: missedInWords(slotsOf(facts.fire)),
  since: settled(facts.fire),
  ...again(facts),
});

/** The row as SlotsMissed has written it: only fires lack some of this. */
const slotsOf = ({ fire, trigger, count, slot, last_slot, code }: FireRow): Missed => ({
  fire,
  trigger: trigger!,
  count: count!,
  first: slot!,
  last: last_slot!,
  code: code as Missed['code'],
});
