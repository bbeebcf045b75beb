import { usualDst } from '../../commands/schedule/schedule.js';
import type {
  ApiTrigger,
  DstPolicy,
  RoutineDefinition,
  ScheduleTrigger,
  Signing,
  Trigger,
  TriggerId,
  Variable,
  WebhookTrigger,
} from '../../events/routine.js';
import type { Routine } from '../../projections/routines/routine-queries.js';
import { Usage } from '../problem.js';

type Sent<T extends Trigger> = Partial<Omit<T, 'nextSlot' | 'dst' | 'id' | 'kind'>> & Pick<T, 'id' | 'kind'>;
type SentTrigger = Sent<ApiTrigger> | Sent<WebhookTrigger> | (Sent<ScheduleTrigger> & { readonly dst?: Partial<DstPolicy> });
export type SentVariable = Partial<Variable> & Pick<Variable, 'name' | 'type'>;

/** What PUT takes of a routine. */
export type Definition = Partial<Omit<RoutineDefinition, 'triggers' | 'variables'>> & {
  readonly variables?: readonly SentVariable[];
  readonly triggers?: readonly SentTrigger[];
};

export interface Changes {
  readonly title?: string;
  readonly description?: string;
  readonly agent?: string;
  readonly priority?: RoutineDefinition['priority'];
  readonly concurrency?: RoutineDefinition['concurrency'];
  readonly catchUp?: RoutineDefinition['catchUp'];
  readonly variable?: readonly SentVariable[];
  readonly ignore?: readonly string[];
  readonly spread?: number;
  readonly activeFrom?: string;
  readonly activeUntil?: string;
  readonly cron?: string | false;
  readonly zone?: string;
  readonly dstGap?: DstPolicy['gap'];
  readonly dstOverlap?: DstPolicy['overlap'];
  readonly webhook?: Signing | boolean;
  readonly window?: number;
  readonly api?: boolean;
  readonly enable?: readonly TriggerId[];
  readonly disable?: readonly TriggerId[];
}

/** PUT replaces a whole definition, so what is not given is taken from what is there. */
export function changedBy(changes: Changes, before: Definition = {}): Definition {
  return {
    title: changes.title ?? before.title,
    description: changes.description ?? before.description,
    agent: changes.agent ?? before.agent,
    priority: changes.priority ?? before.priority,
    concurrency: changes.concurrency ?? before.concurrency,
    catchUp: changes.catchUp ?? before.catchUp,
    variables: changes.variable ?? before.variables,
    fingerprintIgnore: changes.ignore ?? before.fingerprintIgnore,
    spreadSec: changes.spread === undefined ? before.spreadSec : Math.round(changes.spread / 1_000),
    activeFrom: changes.activeFrom ?? before.activeFrom,
    activeUntil: changes.activeUntil ?? before.activeUntil,
    triggers: switched(changes, triggersBy(changes, before.triggers ?? [])),
  };
}

/** The options speak of the triggers `schedule`, `webhook` and `api`; all others stay as they are. */
function triggersBy(changes: Changes, before: readonly SentTrigger[]): SentTrigger[] {
  const triggers = new Map(before.map((trigger) => [trigger.id, trigger]));
  for (const [id, changeOf] of Object.entries({ schedule: scheduleBy, webhook: webhookBy, api: apiBy })) {
    const after = changeOf(changes, triggers.get(id));
    if (after) triggers.set(id, after);
    else triggers.delete(id);
  }
  return [...triggers.values()].map(withoutSlot);
}

function scheduleBy({ cron, zone, dstGap, dstOverlap }: Changes, before: SentTrigger | undefined): SentTrigger | undefined {
  if (cron === false) return undefined;
  const changes = [cron, zone, dstGap, dstOverlap].some((change) => change !== undefined);
  if (!changes) return before;
  const known = before?.kind === 'schedule' ? before : undefined;
  if (cron === undefined && !known) throw new Usage('--zone, --dst-gap and --dst-overlap are about a schedule: give --cron, too');
  return {
    id: 'schedule',
    kind: 'schedule',
    enabled: known?.enabled,
    cron: cron ?? known?.cron,
    zone: zone ?? known?.zone,
    dst: { ...chosenDst(known), ...(dstGap && { gap: dstGap }), ...(dstOverlap && { overlap: dstOverlap }) },
  };
}

/** What follows from the cron expression alone changes with it. */
function chosenDst(known: { readonly cron?: string; readonly dst?: Partial<DstPolicy> } | undefined): Partial<DstPolicy> {
  if (known?.cron === undefined || known.dst === undefined) return {};
  const usual = usualDst(known.cron);
  const isChosen = known.dst.gap !== usual.gap || known.dst.overlap !== usual.overlap;
  return isChosen ? known.dst : {};
}

function webhookBy({ webhook, window }: Changes, before: SentTrigger | undefined): SentTrigger | undefined {
  if (webhook === false) return undefined;
  if (webhook === undefined && window === undefined) return before;
  const known = before?.kind === 'webhook' ? before : undefined;
  if (webhook === undefined && !known) throw new Usage('--window is about a webhook: give --webhook, too');
  return {
    id: 'webhook',
    kind: 'webhook',
    enabled: known?.enabled,
    signing: typeof webhook === 'string' ? webhook : known?.signing,
    windowSec: window === undefined ? known?.windowSec : Math.round(window / 1_000),
  };
}

function apiBy({ api }: Changes, before: SentTrigger | undefined): SentTrigger | undefined {
  if (api === false) return undefined;
  return before ?? (api ? { id: 'api', kind: 'api' } : undefined);
}

function switched({ enable = [], disable = [] }: Changes, triggers: readonly SentTrigger[]): SentTrigger[] {
  for (const id of [...enable, ...disable]) {
    if (!triggers.some((trigger) => trigger.id === id))
      throw new Usage(`there is no trigger ${id}: it has ${triggers.map((trigger) => trigger.id).join(', ') || 'none'}`);
  }
  return triggers.map((trigger) => {
    if (disable.includes(trigger.id)) return { ...trigger, enabled: false };
    return enable.includes(trigger.id) ? { ...trigger, enabled: true } : trigger;
  });
}

/** What `ledger routines get` has written, as PUT takes it. */
export function definitionIn(written: object): object {
  const entries = Object.entries(written).filter(([name]) => !shownOnly.includes(name));
  const { triggers, ...definition } = Object.fromEntries(entries) as { triggers?: unknown };
  return { ...definition, triggers: Array.isArray(triggers) ? triggers.map(withoutSlot) : triggers };
}

/** What the ledger says of a routine, and nobody defines. */
const shownOnly: readonly string[] = [
  'id',
  'company',
  'status',
  'reason',
  'since',
  'definedAt',
  'changedAt',
  'fires',
  'lastFire',
  'lastFiredAt',
  'nextDueAt',
  'revision',
] satisfies (keyof Routine)[];

/** The next slot is the ledger's to say. */
const withoutSlot = <T>(trigger: T): T => (typeof trigger === 'object' ? { ...trigger, nextSlot: undefined } : trigger);
