import type pg from 'pg';
import { isGone, type ProcessIdentity } from './process-identity.js';

/** What is to be had: what nobody owns any more, and what belongs to a holder that is known to be gone. */
export interface Vacancy {
  readonly holder?: string | undefined;
}

interface Owner extends ProcessIdentity {
  readonly name: string;
  readonly isFree: boolean;
}

const askEveryMs = 250;

/** The loops that this process would own: one question for all of them, as often as makes the end of an owner short. */
export class Vacancies {
  private readonly waiting = new Map<string, Set<(vacancy: Vacancy) => void>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly db: pg.Pool) {}

  /** Resolves when it may be had, or `signal` ends, or when the database does not say. */
  wait(name: string, signal: AbortSignal): Promise<Vacancy> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve({});
      const tell = (vacancy: Vacancy) => {
        signal.removeEventListener('abort', end);
        this.leave(name, tell);
        resolve(vacancy);
      };
      const end = () => tell({});
      signal.addEventListener('abort', end);
      this.waiting.set(name, (this.waiting.get(name) ?? new Set()).add(tell));
      this.askSoon();
    });
  }

  private askSoon(): void {
    if (this.waiting.size > 0) this.timer ??= setTimeout(() => void this.ask(), askEveryMs).unref();
  }

  private async ask(): Promise<void> {
    const asked = [...this.waiting.keys()];
    const found = await this.look(asked).catch(() => asked.map((name): [string, Vacancy] => [name, {}]));
    for (const [name, vacancy] of found) for (const tell of this.waiting.get(name) ?? []) tell(vacancy);
    this.timer = undefined;
    this.askSoon();
  }

  private async look(names: readonly string[]): Promise<[string, Vacancy][]> {
    if (names.length === 0) return [];
    const { rows: owners } = await this.db.query<Owner>(
      `select name, holder, host, pid, pid_started as "pidStarted", expires_at < clock_timestamp() as "isFree"
       from owners
       where name = any ($1)`,
      [names],
    );
    return names.flatMap((name) => {
      const owner = owners.find((other) => other.name === name);
      if (!owner || owner.isFree) return [[name, {}]];
      return isGone(owner) ? [[name, { holder: owner.holder }]] : [];
    });
  }

  private leave(name: string, tell: (vacancy: Vacancy) => void): void {
    const waiting = this.waiting.get(name);
    waiting?.delete(tell);
    if (waiting?.size === 0) this.waiting.delete(name);
  }
}
