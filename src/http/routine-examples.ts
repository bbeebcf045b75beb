import type { NextTimes } from '../commands/routines/next-times.js';
import type { Preview } from '../commands/routines/preview.js';
import type { Fire } from '../projections/routines/fire-queries.js';
import type { Routine } from '../projections/routines/routine-queries.js';
import type { NewSecret } from '../webhooks/secrets.js';

const morning = '2026-04-20T07:00:00.000Z';
const dst = { gap: 'shift', overlap: 'once' } as const;

const routine: Routine = {
  id: 'nightly',
  company: 'acme',
  status: 'paused',
  reason: 'freeze',
  since: morning,
  title: 'Build {{branch}} of {{date}}',
  description: 'Build {{branch}}, and say what is red.',
  agent: 'coder',
  priority: 'medium',
  concurrency: 'coalesce_if_active',
  catchUp: 'skip_missed',
  variables: [{ name: 'branch', type: 'text', label: 'Branch', default: 'main', required: true, options: ['main'] }],
  fingerprintIgnore: ['delivery.id'],
  spreadSec: 300,
  activeFrom: morning,
  activeUntil: '2026-12-31T00:00:00.000Z',
  triggers: [
    { id: 'schedule', enabled: true, kind: 'schedule', cron: '0 9 * * *', zone: 'Europe/Berlin', dst, nextSlot: morning },
    { id: 'webhook', enabled: true, kind: 'webhook', signing: 'hmac_sha256', windowSec: 300 },
    { id: 'api', enabled: true, kind: 'api' },
  ],
  definedAt: morning,
  changedAt: morning,
  fires: 3,
  lastFire: 'nightly@3',
  lastFiredAt: morning,
  nextDueAt: morning,
  revision: 12,
};

const fire: Fire = {
  id: 'nightly@3',
  company: 'acme',
  routine: 'nightly',
  trigger: 'schedule',
  source: 'schedule',
  slot: morning,
  firedAt: morning,
  outcome: 'coalesced',
  code: 'task_active',
  reason: 'the routine is paused: freeze',
  task: 'nightly~2',
  run: 'nightly~2.1',
  into: 'nightly@2',
  fingerprint: '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  count: 12,
  lastSlot: morning,
  concluded: { outcome: 'failed', status: 'blocked', at: morning, reason: 'it waits for a person' },
};

const preview: Preview = {
  title: 'Build main of 2026-04-20',
  description: 'Build main, and say what is red.',
  fingerprint: fire.fingerprint!,
  variables: { branch: 'main' },
  payload: { variables: { branch: 'main' } },
};

const nextTimes: NextTimes = {
  routine: 'nightly',
  status: 'active',
  schedules: [
    {
      trigger: 'schedule',
      cron: '30 2 * * *',
      zone: 'Europe/Berlin',
      offsetSec: 42,
      times: [{ at: '2027-03-28T01:00:00.000Z', local: '2027-03-28T03:00:00+02:00', dst: 'shifted' }],
    },
  ],
};

const webhook: NewSecret = {
  trigger: 'webhook',
  publicId: '7c9f5d0c8e1b4a2f9d3e6b70',
  path: '/v1/hooks/7c9f5d0c8e1b4a2f9d3e6b70',
  secret: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d234',
};

/** What is asked and answered about routines. */
export const routineExamples = {
  Routine: routine,
  PutRoutine: { ...routine, webhooks: [webhook] },
  RotatedSecret: { routine, trigger: 'webhook', overlapUntil: morning, rotatedAt: morning, webhooks: [webhook] },
  Fire: fire,
  Preview: preview,
  NextTimes: nextTimes,
} satisfies Record<string, object>;
