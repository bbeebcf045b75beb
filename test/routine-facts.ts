import type { FireOrder, RoutineDefinition, RoutineEvent, ScheduleTrigger } from '../src/events/routine.js';
import { at, wakeup } from './facts.js';

const iso = (clock: string): string => at(clock).toISOString();

type Data<Type extends RoutineEvent['type']> = Extract<RoutineEvent, { type: Type }>['data'];
export const routineFact = <Type extends RoutineEvent['type']>(type: Type, data: Data<Type>) =>
  ({ type, data }) as Extract<RoutineEvent, { type: Type }>;

const routine = 'nightly';

export const daily: ScheduleTrigger = {
  id: 'daily',
  kind: 'schedule',
  enabled: true,
  cron: '0 12 * * *',
  zone: 'UTC',
  dst: { gap: 'shift', overlap: 'once' },
  nextSlot: iso('12:00'),
};

export const definition: RoutineDefinition = {
  title: 'Check the exports of {{date}}',
  description: null,
  agent: 'fixer',
  priority: 'medium',
  concurrency: 'coalesce_if_active',
  catchUp: 'skip_missed',
  variables: [],
  fingerprintIgnore: [],
  spreadSec: 0,
  activeFrom: null,
  activeUntil: null,
  triggers: [daily, { id: 'push', kind: 'webhook', enabled: true, signing: 'bearer', windowSec: 300 }],
};

export const routineDefined = (over: Partial<RoutineDefinition> = {}) =>
  routineFact('RoutineDefined', { ...definition, ...over, routine, definedAt: iso('11:00') });
export const routineChanged = (over: Partial<RoutineDefinition> = {}) =>
  routineFact('RoutineChanged', { ...definition, ...over, routine, changedAt: iso('11:30') });
export const routinePaused = routineFact('RoutinePaused', { routine, reason: 'holidays', pausedAt: iso('11:40') });
export const routineResumed = routineFact('RoutineResumed', { routine, reason: 'back again', resumedAt: iso('11:50') });
export const routineArchived = routineFact('RoutineArchived', { routine, reason: 'done with it', archivedAt: iso('11:55') });
export const secretRotated = routineFact('TriggerSecretRotated', {
  routine,
  trigger: 'push',
  overlapUntil: iso('12:30'),
  rotatedAt: iso('11:30'),
});

export const orderOn = (n: number, over: Partial<FireOrder> = {}): FireOrder => ({
  task: `nightly~${n}`,
  agent: 'fixer',
  priority: 'medium',
  concurrency: 'coalesce_if_active',
  title: 'Check the exports of 2026-04-20',
  payload: {},
  ...over,
});

const fire = (n: number): string => `nightly@${n}`;
const fired = (n: number, over: Partial<Data<'RoutineFired'>>) =>
  routineFact('RoutineFired', {
    routine,
    fire: fire(n),
    n,
    trigger: null,
    source: 'manual',
    slot: null,
    nextSlot: null,
    fingerprint: 'f'.repeat(64),
    order: orderOn(n),
    firedAt: iso('12:00'),
    ...over,
  });

export const firedByHand = (n: number, over: Partial<Data<'RoutineFired'>> = {}) => fired(n, over);
/** Its next slot is that of tomorrow. */
export const firedOnTime = (n: number, over: Partial<Data<'RoutineFired'>> = {}) =>
  fired(n, { trigger: 'daily', source: 'schedule', slot: iso('12:00'), nextSlot: '2026-04-21T12:00:00.000Z', ...over });

export const fireCreated = (n: number, over: Partial<Data<'FireCreated'>> = {}) =>
  routineFact('FireCreated', {
    routine,
    fire: fire(n),
    task: `nightly~${n}`,
    wakeupId: wakeup(n),
    run: `nightly~${n}.1`,
    createdAt: iso('12:00'),
    ...over,
  });
export const fireCoalesced = (n: number, into: number, run: string | null) =>
  routineFact('FireCoalesced', {
    routine,
    fire: fire(n),
    task: `nightly~${into}`,
    into: fire(into),
    wakeupId: wakeup(n),
    run,
    coalescedAt: iso('12:01'),
  });
export const fireSkipped = (n: number, on: number, code: string) =>
  routineFact('FireSkipped', { routine, fire: fire(n), task: `nightly~${on}`, code, skippedAt: iso('12:01') });
export const fireSuppressed = (n: number, code: Data<'FireSuppressed'>['code'], reason: string) =>
  routineFact('FireSuppressed', { routine, fire: fire(n), code, reason, suppressedAt: iso('12:00') });
export const fireFailed = (n: number, over: Partial<Data<'FireFailed'>> = {}) =>
  routineFact('FireFailed', {
    routine,
    fire: fire(n),
    task: null,
    code: 'variables_missing',
    reason: 'the variable branch is missing',
    failedAt: iso('12:00'),
    ...over,
  });
export const fireRedirected = (n: number, from: number) =>
  routineFact('FireRedirected', {
    routine,
    fire: fire(n),
    from: `nightly~${from}`,
    order: orderOn(n),
    redirectedAt: iso('12:01'),
  });
export const fireConcluded = (n: number, status: Data<'FireConcluded'>['status'], reason: string | null = null) =>
  routineFact('FireConcluded', {
    routine,
    fire: fire(n),
    task: `nightly~${n}`,
    status,
    outcome: status === 'done' ? 'completed' : 'failed',
    reason,
    concludedAt: iso('12:10'),
  });
export const fireReopened = (n: number) =>
  routineFact('FireReopened', { routine, fire: fire(n), task: `nightly~${n}`, reopenedAt: iso('12:20') });
export const slotsMissed = (n: number, over: Partial<Data<'SlotsMissed'>> = {}) =>
  routineFact('SlotsMissed', {
    routine,
    fire: fire(n),
    n,
    trigger: 'daily',
    code: 'missed',
    count: 3,
    first: '2026-04-17T12:00:00.000Z',
    last: '2026-04-19T12:00:00.000Z',
    nextSlot: '2026-04-20T12:00:00.000Z',
    missedAt: iso('11:59'),
    ...over,
  });
