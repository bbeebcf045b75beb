import { Controller, Get, Header, Logger } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { StoreUnavailable } from '../event-store/event-store.js';
import { FigureQueries, type Figures } from '../figures.js';
import { pause } from '../pause.js';
import { Webhooks } from '../webhooks/webhooks.js';
import { Documented } from './documented.js';
import { metricsText, metricsType, nodeMetrics } from './metrics.js';
import { problemOf } from './problem.js';
import { LiveStreams } from './stream/live-streams.js';

/** Several scrapers within this time cost one look. */
const keptMs = 1_000;
/** Prometheus gives a scrape up after 10 s, unless it is told otherwise. */
const patienceMs = 5_000;

/**
 * Figures for Prometheus. A scrape does not fail because the database is away: what the process knows of itself is answered, and
 * `ledger_database_scrape_success` is 0. `ledger_should_be_running` comes from one cheap look for each scrape: what a look at least 2.5 s
 * before has found as well is counted, so that a defect shows from the second scrape on, and what has just been freed never.
 */
@Controller()
export class MetricsController {
  private kept: { text: Promise<string>; at: number } | undefined;
  /** of those who are never scraped nothing is watched */
  private node: Registry | undefined;

  constructor(
    private readonly figures: FigureQueries,
    private readonly streams: LiveStreams,
    private readonly webhooks: Webhooks,
  ) {}

  @Get('metrics')
  @Header('content-type', metricsType)
  @Documented({
    summary: 'How the ledger and this process are, in numbers, for Prometheus',
    answers: 'Metrics',
    mediaType: 'text/plain',
  })
  metrics(): Promise<string> {
    const { kept } = this;
    if (kept && performance.now() - kept.at < keptMs) return kept.text;
    const begun = { at: Infinity, text: this.text().finally(() => (begun.at = performance.now())) };
    this.kept = begun;
    return begun.text;
  }

  private async text(): Promise<string> {
    const figures = await this.known();
    const own = {
      policyCounts: this.figures.policyCounts(),
      liveStreams: this.streams.count,
      webhookRefusals: this.webhooks.refusals,
    };
    return metricsText(figures, own, (this.node ??= nodeMetrics()));
  }

  private async known(): Promise<Figures | undefined> {
    try {
      return await within(patienceMs, this.figures.look());
    } catch (error) {
      if (problemOf(error, '').code === 'internal') logger.error(error instanceof Error ? error.stack : error);
      return undefined;
    }
  }
}

const logger = new Logger('metrics');

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = pause(ms, over.signal).then(() =>
    Promise.reject(new StoreUnavailable(`the database does not answer within ${ms} ms`)),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
