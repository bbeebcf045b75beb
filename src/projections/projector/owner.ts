import type pg from 'pg';
import { thisProcess, type ProcessIdentity } from './process-identity.js';
import { Vacancies, type Vacancy } from './vacancies.js';

/** The right to run a loop of which only one may run. `signal` ends when it is lost. */
export interface Ownership {
  readonly name: string;
  /** grows with every owner; what a former one still writes is refused by it */
  readonly term: number;
  readonly signal: AbortSignal;
  /** For right before an act: a process that stood still knows here that its term is over, before any timer of it tells. */
  isHeld(): boolean;
  release(): Promise<void>;
}

interface Held {
  readonly term: number;
  readonly lost: AbortController;
  /** monotonic, when the last renewal that was granted had been sent */
  renewedAt: number;
}

/** With what it takes to notice its end, another process goes on within 15 s. */
const termMs = 14_000;
const renewEveryMs = 5_000;

/**
 * What this process owns. A term lasts 14 s on the database's clock and is renewed every 5 s; an owner on this host whose process is
 * gone is replaced at once.
 */
export class Owners {
  private readonly held = new Map<string, Held>();
  private readonly vacancies: Vacancies;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: pg.Pool,
    private readonly me: ProcessIdentity = thisProcess(),
    /** the id of the log that this process works on; while the database belongs to another, it owns nothing */
    private readonly log: () => Promise<string | null> = () => Promise.resolve(null),
  ) {
    this.vacancies = new Vacancies(db);
  }

  /** Waits until the loop is free; undefined when `signal` ended first. An error of the database is thrown. */
  async acquire(name: string, signal: AbortSignal): Promise<Ownership | undefined> {
    // A release, or the answer to a take, may have been lost on its way: what this process has given up it may have again.
    let from: Vacancy = { holder: this.held.has(name) ? undefined : this.me.holder };
    while (!signal.aborted) {
      const ownership = await this.take(name, from);
      if (ownership) return ownership;
      from = await this.vacancies.wait(name, signal);
    }
    return undefined;
  }

  /** Takes it from whoever has it, who notices by the term. */
  async seize(name: string): Promise<Ownership> {
    const ownership = await this.take(name, { byForce: true });
    if (ownership) return ownership;
    throw new Error('this database belongs to another log than this process works on: restart it with the store of that log');
  }

  /** What nobody owns now; also what this holder has, or by force what anybody has. */
  private async take(name: string, from: Vacancy & { readonly byForce?: true }): Promise<Ownership | undefined> {
    const sentAt = performance.now();
    const { holder, host, pid, pidStarted } = this.me;
    const { rows } = await this.db.query<{ term: number }>(
      `insert into owners as owner (name, holder, term, expires_at, host, pid, pid_started)
       select $1, $2::uuid, 1, clock_timestamp() + $3 * interval '1 ms', $4, $5, $6
       where ${isFollowed('$9')}
       on conflict (name) do update
       set holder = excluded.holder,
         term = owner.term + 1,
         expires_at = excluded.expires_at,
         host = excluded.host,
         pid = excluded.pid,
         pid_started = excluded.pid_started
       where $7
         or owner.expires_at < clock_timestamp()
         or owner.holder = $8::uuid
       returning term`,
      [name, holder, termMs, host, pid, pidStarted, from.byForce ?? false, from.holder, await this.log()],
    );
    return rows[0] && this.hold(name, rows[0].term, sentAt);
  }

  /** Answers may come in another order than they were given: of two terms of this process, the later one counts. */
  private hold(name: string, term: number, renewedAt: number): Ownership {
    const lost = new AbortController();
    if (term < (this.held.get(name)?.term ?? 0)) lost.abort();
    else {
      this.drop(name);
      this.held.set(name, { term, lost, renewedAt });
    }
    this.timer ??= setInterval(() => void this.renew(), renewEveryMs).unref();
    return {
      name,
      term,
      signal: lost.signal,
      isHeld: () => this.isHeld(name, term),
      release: () => this.release(name, term),
    };
  }

  private isHeld(name: string, term: number): boolean {
    const held = this.held.get(name);
    if (held?.term !== term) return false;
    if (isOver(held)) this.drop(name);
    return !held.lost.signal.aborted;
  }

  private async release(name: string, term: number): Promise<void> {
    if (this.held.get(name)?.term === term) this.drop(name);
    await this.db.query(
      `update owners
       set expires_at = '-infinity'
       where name = $1
         and term = $2
         and holder = $3`,
      [name, term, this.me.holder],
    );
  }

  private drop(name: string): void {
    this.held.get(name)?.lost.abort();
    this.held.delete(name);
    if (this.held.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async renew(): Promise<void> {
    const sentAt = performance.now();
    const asked = [...this.held];
    const granted = await this.renewAll(asked).catch(() => undefined);
    for (const [name, held] of asked) {
      if (this.held.get(name) !== held) continue;
      if (granted?.has(name)) held.renewedAt = sentAt;
      // Unanswered is not refused: it is this process's until its time is over.
      else if (granted || isOver(held)) this.drop(name);
    }
  }

  private async renewAll(asked: readonly (readonly [string, Held])[]): Promise<Set<string>> {
    const { rows } = await this.db.query<{ name: string }>(
      `update owners as owner
       set expires_at = clock_timestamp() + $3 * interval '1 ms'
       from unnest($1::text[], $2::bigint[]) as held (name, term)
       where owner.name = held.name
         and owner.term = held.term
         and owner.holder = $4
         and ${isFollowed('$5')}
       returning owner.name`,
      [asked.map(([name]) => name), asked.map(([, { term }]) => term), termMs, this.me.holder, await this.log()],
    );
    return new Set(rows.map(({ name }) => name));
  }
}

/** It was counted from before the database heard of it, and so ends here before it ends there. */
const isOver = ({ renewedAt }: Held): boolean => performance.now() - renewedAt > termMs;

/** A move to another log ends all terms; whoever still works on the former one gets none again. */
const isFollowed = (log: string): string => `not exists (select from followed_log where id <> ${log}::uuid)`;
