import { isDeepStrictEqual } from 'node:util';
import type { Routine, RoutineDefinition, Schedule, ScheduleTrigger, Trigger, Variable } from '../../events/routine.js';
import { Rejected, type World } from '../decider.js';
import { readIsoTime } from '../iso-time.js';
import { ScheduleRefused } from '../schedule/schedule-refused.js';
import { refuseUnfit, usualDst } from '../schedule/schedule.js';
import type { DefinitionFields, TriggerFields, VariableFields } from './definition.js';
import { refuseUnfitPaths } from './fingerprint.js';
import { slotAfter, type Window } from './schedules.js';
import { refuseUnfitTemplates } from './templates.js';

/**
 * The definition that somebody has written down, with its defaults. A schedule that is as it was goes on from where it is; any other
 * begins after now.
 */
export function definitionOf(fields: DefinitionFields, known: Routine | undefined, world: World): RoutineDefinition {
  const { title, description = null, agent = null, priority = 'medium', concurrency = 'coalesce_if_active' } = fields;
  const { catchUp = 'skip_missed', variables = [], fingerprintIgnore = [], spreadSec = 0 } = fields;
  const window = windowOf(fields);
  refuseUnfitTriggers(fields.triggers, known);
  const definition = {
    title,
    description,
    agent,
    priority,
    concurrency,
    catchUp,
    fingerprintIgnore,
    spreadSec,
    ...window,
    variables: variables.map(variableOf),
    triggers: fields.triggers.map((trigger) => triggerOf(trigger, window, known, world)),
  };
  refuseUnfitTemplates(definition);
  refuseUnfitPaths(fingerprintIgnore);
  return definition;
}

function windowOf({ activeFrom, activeUntil }: DefinitionFields): Window {
  const window = { activeFrom: inUtc(activeFrom), activeUntil: inUtc(activeUntil) };
  if (window.activeFrom !== null && window.activeUntil !== null && window.activeFrom >= window.activeUntil)
    throw new Rejected(
      'window_invalid',
      `activeFrom is ${window.activeFrom}, activeUntil ${window.activeUntil}: give an end that is after the beginning`,
    );
  return window;
}

const inUtc = (time: string | null | undefined): string | null =>
  time === undefined || time === null ? null : new Date(readIsoTime(time)).toISOString();

function variableOf({
  name,
  type = 'text',
  label = null,
  default: byDefault = null,
  required = true,
  options = [],
}: VariableFields) {
  return { name, type, label, default: byDefault, required, options } satisfies Variable;
}

function refuseUnfitTriggers(triggers: readonly TriggerFields[], known: Routine | undefined): void {
  for (const [place, trigger] of triggers.entries()) {
    const { id, kind } = trigger;
    if (triggers.findIndex((other) => other.id === id) < place) throw unfit(`trigger ${id} is there twice: rename one of them`);
    const before = known?.triggers.find((one) => one.id === id);
    if (before && before.kind !== kind)
      throw new Rejected(
        'trigger_kind',
        `trigger ${id} is of kind ${before.kind} and stays so; remove it, and add ${kind} under another id`,
      );
    const strange = fieldsOfOthers(trigger);
    if (strange.length > 0) throw unfit(`trigger ${id} is of kind ${kind}, and has ${strange.join(', ')}: leave that out`);
    if (kind === 'schedule' && trigger.cron === undefined)
      throw unfit(`trigger ${id} is a schedule without cron: give an expression such as 0 9 * * 1-5`);
  }
}

const unfit = (sentence: string): Rejected => new Rejected('triggers_invalid', sentence);

const ownFields = { schedule: ['cron', 'zone', 'dst'], webhook: ['signing', 'windowSec'], api: [] } as const;

const fieldsOfOthers = (trigger: TriggerFields): string[] =>
  Object.entries(ownFields)
    .flatMap(([kind, fields]) => (kind === trigger.kind ? [] : fields))
    .filter((field) => trigger[field] !== undefined);

function triggerOf(fields: TriggerFields, window: Window, known: Routine | undefined, world: World): Trigger {
  const { id, kind, enabled = true } = fields;
  switch (kind) {
    case 'api':
      return { id, kind, enabled };
    case 'webhook':
      return { id, kind, enabled, signing: fields.signing ?? 'bearer', windowSec: fields.windowSec ?? 300 };
    case 'schedule': {
      const timing = { id, kind, enabled, ...scheduleOf(fields) };
      const before = known && scheduleAsBefore(known, timing, window);
      return before ?? { ...timing, nextSlot: enabled ? slotAfter(window, timing, world.now.toISOString()) : null };
    }
  }
}

function scheduleOf({ cron = '', zone = 'UTC', dst = {} }: TriggerFields): Schedule {
  try {
    const usual = usualDst(cron);
    const schedule = { cron, zone, dst: { gap: dst.gap ?? usual.gap, overlap: dst.overlap ?? usual.overlap } };
    refuseUnfit(schedule);
    return schedule;
  } catch (error) {
    throw error instanceof ScheduleRefused ? new Rejected(error.code, error.message) : error;
  }
}

type Timing = Omit<ScheduleTrigger, 'nextSlot'>;

/** The trigger of the routine that has the very same slots. */
export function scheduleAsBefore(known: Routine, trigger: Timing, window: Window): ScheduleTrigger | undefined {
  const before = known.triggers.find((one) => one.id === trigger.id);
  const isSame =
    before?.kind === 'schedule' &&
    isDeepStrictEqual(timingOf(before), timingOf(trigger)) &&
    isDeepStrictEqual(windowIn(known), windowIn(window));
  return isSame ? before : undefined;
}

const timingOf = ({ id, enabled, cron, zone, dst }: Timing) => [id, enabled, cron, zone, dst.gap, dst.overlap];
const windowIn = ({ activeFrom, activeUntil }: Window) => [activeFrom, activeUntil];
