import { collectDefaultMetrics, Counter, Gauge, prometheusContentType, Registry } from 'prom-client';
import type { FigureQueries, Figures } from '../figures.js';

/** Of Prometheus' text format, 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const metricsType = prometheusContentType;

/** What this process knows of itself. */
export interface OwnFigures {
  readonly policyCounts: ReturnType<FigureQueries['policyCounts']>;
  readonly liveStreams: number;
  readonly webhookRefusals: number;
}

/** Of Node and of the process (prom-client's own), from now on. When the process began is among them. */
export function nodeMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Figures in Prometheus' text format; without those of the database when they are not known, because old ones would mislead. */
export function metricsText(figures: Figures | undefined, own: OwnFigures, node: Registry): Promise<string> {
  const registry = new Registry();
  const gauge = gaugesOf(registry);
  gauge('ledger_database_scrape_success', 'Whether the database was asked for this scrape; 0: what it would tell is left out.', [
    [{}, figures ? 1 : 0],
  ]);
  if (figures) ofTheLedger(figures, gauge);
  gauge('ledger_live_streams', 'Clients that follow the log over this process.', [[{}, own.liveStreams]]);
  countPolicies(own.policyCounts, registry);
  countRefusals(own.webhookRefusals, registry);
  return Registry.merge([registry, node]).metrics();
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
type AddGauge = (name: string, help: string, samples: readonly Sample[]) => void;

const gaugesOf =
  (registry: Registry): AddGauge =>
  (name, help, samples) => {
    const [first] = samples;
    // One without labels would be 0.
    if (!first) return;
    const labelNames = Object.keys(first[0]);
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) gauge.set(labels, value);
  };

function ofTheLedger(figures: Figures, gauge: AddGauge): void {
  const { events, sealLag, shouldBeRunning } = figures;
  gauge('ledger_events', 'Events of the log.', [[{}, events]]);
  gauge('ledger_seal_lag_events', 'Events that are not sealed yet; a range of 1,024 is sealed when it is full.', [[{}, sealLag]]);
  if (shouldBeRunning !== undefined)
    gauge('ledger_should_be_running', 'Runs and demands that nothing has kept from being run for 10 s: a defect of the ledger.', [
      [{}, shouldBeRunning],
    ]);
  ofReadModels(figures.readModels, gauge);
  ofPolicies(figures.policies, gauge);
  if (figures.routines) ofRoutines(figures.routines, gauge);
  gauge(
    'ledger_processes',
    'Processes of the ledger that live and have the role; one with several roles counts in each.',
    figures.processes.map(({ role, count }) => [{ role }, count]),
  );
}

function ofReadModels(readModels: Figures['readModels'], gauge: AddGauge): void {
  const each = (value: (of: Figures['readModels'][number]) => number) =>
    readModels.map((of): Sample => [{ projection: of.projection, read_model: of.readModel, live: String(of.live) }, value(of)]);
  gauge(
    'ledger_read_model_lag_events',
    'Events of the log that the read model does not show yet.',
    each(({ lag }) => lag),
  );
  gauge(
    'ledger_read_model_halted',
    'Whether the read model does not go on by itself: GET /readyz says why.',
    each(({ halted }) => Number(halted)),
  );
  gauge(
    'ledger_read_model_parked_streams',
    'Streams that the read model could not fold, and shows as they were before.',
    each(({ parkedStreams }) => parkedStreams),
  );
}

function ofPolicies(policies: Figures['policies'], gauge: AddGauge): void {
  const each = (value: (of: Figures['policies'][number]) => number) =>
    policies.map((of): Sample => [{ policy: of.policy }, value(of)]);
  gauge(
    'ledger_policy_lag_events',
    'Events of the log that the policy has not come by yet.',
    each(({ lag }) => lag),
  );
  gauge(
    'ledger_policy_halted',
    'Whether the policy does not go on by itself: GET /v1/doctor says why.',
    each(({ halted }) => Number(halted)),
  );
  gauge(
    'ledger_policy_parked_reactions',
    'Reactions that the policy could not carry out, and tries again.',
    each(({ parkedReactions }) => parkedReactions),
  );
}

function ofRoutines({ routines, fires, overdueSeconds }: NonNullable<Figures['routines']>, gauge: AddGauge): void {
  gauge(
    'ledger_routines',
    'Routines by their status.',
    routines.map(({ status, count }): Sample => [{ status }, count]),
  );
  gauge(
    'ledger_routine_fires',
    'Fires of routines by what has come of them; pending: nothing yet; caught_up: facts about slots that are not fired.',
    fires.map(({ outcome, count }): Sample => [{ outcome }, count]),
  );
  gauge(
    'ledger_routines_overdue_seconds',
    'How long the first routine that is due has waited for the scheduler; 0: none is due.',
    [[{}, overdueSeconds]],
  );
}

function countPolicies(counts: OwnFigures['policyCounts'], registry: Registry): void {
  const name = 'ledger_policy_reactions_total';
  const help = 'Reactions of the policies of this process since its start: sent, refused by the domain, or parked.';
  const counter = new Counter({ name, help, labelNames: ['policy', 'outcome'], registers: [registry] });
  for (const [policy, outcomes] of counts)
    for (const [outcome, count] of Object.entries(outcomes)) counter.inc({ policy, outcome }, count);
}

function countRefusals(count: number, registry: Registry): void {
  const name = 'ledger_webhook_refusals_total';
  const help = 'Calls of webhooks that this process has refused since its start because they did not show the secret.';
  new Counter({ name, help, registers: [registry] }).inc(count);
}
