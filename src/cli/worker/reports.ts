import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { finishRun } from '../../commands/run.js';
import type { AnswerOf, Client } from '../client.js';
import { insist } from '../insist.js';
import { Problem } from '../problem.js';
import { withoutExtras, type Finish } from './finish.js';

/** What the ledger made of a finish. */
export type Finished = AnswerOf<typeof finishRun>;

/** An end that is to be reported. The key stays with it, so that it counts once however often it is sent. */
export interface Report {
  readonly url: string;
  readonly company: string;
  readonly run: string;
  readonly key: string;
  readonly finish: Finish;
}

/**
 * The ends of runs on their way to the ledger. Each is a file until it is answered, so that neither an absent server nor
 * the worker's own end loses one.
 */
export class Reports {
  constructor(
    private readonly client: Client,
    /** of the state folder */
    private readonly folder: string,
    private readonly say: (line: string) => void,
    /** gives up sending; what was not answered stays in the folder */
    private readonly signal: AbortSignal,
  ) {}

  /** Undefined when the ledger did not want it, or was not there until the worker ended; that has been said then. */
  async send(run: string, finish: Finish): Promise<Finished | undefined> {
    const { url, company } = this.client.options;
    return this.deliver({ url, company, run, key: randomUUID(), finish });
  }

  /** Those that a former worker could not deliver. */
  async sendLeftOver(): Promise<void> {
    const { url, company } = this.client.options;
    const own = this.kept().filter((report) => report.url === url && report.company === company);
    for (const report of own) {
      const finished = await this.deliver(report);
      if (finished) this.say(`${report.run}: ${report.finish.outcome}, reported now`);
    }
  }

  /** The end of this run is on its way already, or waits to be. */
  holds(run: string): boolean {
    const { url, company } = this.client.options;
    return this.kept().some((report) => report.run === run && report.company === company && report.url === url);
  }

  private async deliver(report: Report): Promise<Finished | undefined> {
    this.tryToKeep(report);
    try {
      const finished = await this.post(report);
      this.forget(report);
      return finished;
    } catch (error) {
      if (!(error instanceof Problem) || error.retryable || error.status >= 500) {
        this.say(
          `${report.run}: ${report.finish.outcome}, not reported yet; kept in ${this.folder} for the next worker of this folder`,
        );
        return undefined;
      }
      this.forget(report);
      this.say(`${report.run}: the ledger does not take its end (${report.finish.outcome}): ${error.message}`);
      return undefined;
    }
  }

  private async post(report: Report): Promise<Finished> {
    try {
      return await this.postOnce(report);
    } catch (error) {
      if (!(error instanceof Problem) || ![400, 413, 422].includes(error.status)) throw error;
      return this.postOnce({ ...report, key: randomUUID(), finish: withoutExtras(report.finish, error.message) });
    }
  }

  private async postOnce({ run, key, finish }: Report): Promise<Finished> {
    const { signal } = this;
    const onFailure = (error: Error, tries: number) =>
      tries === 1 && this.say(`${run}: its end is not reported yet: ${error.message} …`);
    const post = () => this.client.post<Finished>(['runs', run, 'finish'], finish, { key, timeoutMs: 15_000, signal });
    return (await insist(post, { signal, onFailure })).body;
  }

  private kept(): Report[] {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.folder).filter((name) => name.endsWith('.json'));
    return files.flatMap((name) => readReport(join(this.folder, name)));
  }

  /** A disk that is full must not keep an end from being told. */
  private tryToKeep(report: Report): void {
    try {
      this.keep(report);
    } catch (error) {
      this.say(
        `${report.run}: its end could not be kept in ${this.folder}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** Whole or not at all, and on the disk before the first word about it is sent. */
  private keep(report: Report): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const file = this.file(report);
    const fd = openSync(`${file}.new`, 'w', 0o600);
    writeFileSync(fd, JSON.stringify(report));
    fsyncSync(fd);
    closeSync(fd);
    renameSync(`${file}.new`, file);
  }

  private forget(report: Report): void {
    rmSync(this.file(report), { force: true });
  }

  private file({ company, run }: Report): string {
    return join(this.folder, `${company}~${run}.json`);
  }
}

function readReport(file: string): Report[] {
  try {
    // Written by `keep`, whole or not at all.
    return [JSON.parse(readFileSync(file, 'utf8')) as Report];
  } catch {
    return [];
  }
}
