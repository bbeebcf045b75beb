import type { Routine, RoutineEvent, SuppressedCode, Trigger } from '../../events/routine.js';
import { decision, Rejected, type Outcome, type World } from '../decider.js';
import { FreeJson, OneOf, Optional, Slug } from '../fields.js';
import { firesOf, type FireView } from './fire-view.js';
import { fired, firedOrFailed, suppressed, type Asking } from './order.js';
import { knownRoutine, notArchived, ofRoutine, refuseOthersAgent, triggerNamed } from './routine.js';
import { isWithin } from './schedules.js';

export const askedSources = ['manual', 'api', 'webhook'] as const;

/**
 * Somebody asks for the routine's work now. Without `source`, that is what its trigger is for, and by hand without a trigger.
 * `webhook` is for the ledger's own door only: it is refused to whoever is not the system.
 */
export class FireRoutine {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Optional() @Slug() trigger?: string;
  @Optional() @OneOf(askedSources) source?: (typeof askedSources)[number];
  /** in the place of the routine's own */
  @Optional() @Slug() agent?: string;
  @Optional() @FreeJson() variables?: Record<string, unknown>;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}

export const fireRoutine = decision({
  command: FireRoutine,
  ...ofRoutine,
  agents: ({ agent }, routine) => [agent ?? routine?.agent ?? null],
  decide(command: FireRoutine, known: Routine | undefined, world: World): RoutineEvent[] {
    const routine = notArchived(knownRoutine(known, command.routine));
    refuseOthersAgent(world.actor, routine.routine, [routine.agent, command.agent ?? routine.agent]);
    const trigger = triggerOf(command, routine);
    const { agent, variables, payload } = command;
    const source = command.source ?? (trigger?.kind === 'api' ? 'api' : 'manual');
    refuseStrangers(source, world);
    const asking = { source, trigger: trigger?.id ?? null, slot: null, nextSlot: null, agent, variables, payload };
    const suppression = suppressionOf(routine, trigger, source, world);
    if (suppression) return suppressed(routine, asking, suppression, world);
    return source === 'webhook' ? firedOrFailed(routine, asking, world) : fired(routine, asking, world);
  },
  answer: firedAnswer,
});

/** Whoever calls the api without naming a trigger means the only one for it. */
function triggerOf({ trigger, source = 'manual' }: FireRoutine, routine: Routine): Trigger | undefined {
  if (trigger === undefined) return source === 'manual' ? undefined : onlyOne(routine, source);
  const found = triggerNamed(routine, trigger);
  if (source === 'manual' || found.kind === source) return found;
  throw new Rejected(
    'trigger_kind',
    `trigger ${trigger} is of kind ${found.kind}, not for ${source}: name another one, or fire by hand`,
  );
}

function onlyOne({ routine, triggers }: Routine, kind: 'api' | 'webhook'): Trigger {
  const [first, ...others] = triggers.filter((trigger) => trigger.kind === kind);
  if (first && others.length === 0) return first;
  const there = first
    ? `has ${others.length + 1} triggers for ${kind}: name one`
    : `has no trigger for ${kind}: add one, or fire by hand`;
  throw new Rejected('trigger_not_found', `${routine} ${there}`);
}

function refuseStrangers(source: Asking['source'], { actor }: World): void {
  if (source === 'webhook' && actor.type !== 'system')
    throw new Rejected('not_permitted', 'a webhook is fired at its own address: post to that, or leave source out');
}

interface Suppression {
  readonly code: SuppressedCode;
  readonly reason: string;
}

/** What a person asks for by hand is done in any case, unless it is a trigger that was switched off. */
function suppressionOf(
  routine: Routine,
  trigger: Trigger | undefined,
  source: Asking['source'],
  { now }: World,
): Suppression | undefined {
  if (source !== 'manual' && routine.status === 'paused') return ofPause(routine);
  if (trigger && !trigger.enabled)
    return { code: 'trigger_disabled', reason: `trigger ${trigger.id} of ${routine.routine} is switched off` };
  if (source === 'manual' || isWithin(routine, now.toISOString())) return undefined;
  return { code: 'outside_window', reason: `${routine.routine} is active ${windowInWords(routine)}` };
}

export const ofPause = ({ routine, reason, since }: Routine): Suppression => ({
  code: 'routine_paused',
  reason: `${routine} is paused since ${since}: ${reason ?? 'no reason was given'}`,
});

const windowInWords = ({ activeFrom, activeUntil }: Routine): string =>
  [activeFrom === null ? '' : `from ${activeFrom}`, activeUntil === null ? '' : `until ${activeUntil}`].filter(Boolean).join(' ');

const remedies: Record<SuppressedCode, string> = {
  routine_paused: 'resume it, or fire it by hand',
  trigger_disabled: 'switch it on, or fire the routine by hand without it',
  outside_window: 'change that, or fire it by hand',
};

/** A suppressed fire is recorded, and refused. */
function firedAnswer({ company }: FireRoutine, { events }: Outcome<Routine | undefined, RoutineEvent>): { fire: FireView } {
  for (const { type, data } of events)
    if (type === 'FireSuppressed')
      throw new Rejected(data.code, `${data.reason}; ${remedies[data.code]} (${data.fire} records this)`, undefined, data.fire);
  const [fire] = firesOf(company, events);
  if (!fire) throw new Error('a fire writes that it was one');
  return { fire };
}
