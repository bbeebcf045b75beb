import { randomUUID } from 'node:crypto';
import type { ReasonCode, Why } from '../../src/projections/why/reason.js';
import { seeded, type Draw } from '../projections/history.js';
import { startServer, type Body, type TestServer } from '../server.js';

const agents = ['fixer', 'reviewer'];
const tasks = ['ACME-1', 'ACME-2', 'ACME-3', 'ACME-4'];
const statuses = ['todo', 'in_progress', 'in_progress', 'done'];
const endings = [
  { outcome: 'succeeded' },
  { outcome: 'failed', error: '429', errorFamily: 'transient_upstream' },
  { outcome: 'failed', error: '429', errorFamily: 'quota' },
  { outcome: 'failed', error: 'broken' },
  { outcome: 'cancelled', intent: 'requeue' },
];

/** What keeps a queued run where it is; what gives it up when it is taken. */
const keeping: readonly ReasonCode[] = ['AGENT_PAUSED', 'COMPANY_HELD', 'TASK_HELD', 'LEASE_HELD', 'AGENT_CONCURRENCY'];
const barring: readonly ReasonCode[] = ['AGENT_TERMINATED', 'TASK_CLOSED', 'TASK_REASSIGNED', 'BLOCKED_BY'];

/** A ledger to which anything happens, without the policies that would put it right; nobody waits for anything. */
class Play {
  private readonly held: { run: string; lease: string }[] = [];
  readonly seen = new Set<string>();

  constructor(
    private readonly server: TestServer,
    private readonly draw: Draw,
  ) {}

  async begin(): Promise<void> {
    for (const agent of agents) {
      const policy = { maxConcurrentRuns: 2, retry: { delaysMs: [60_000, 60_000] } };
      await this.send('PUT', `agents/${agent}`, { policy });
    }
    for (const task of tasks) await this.send('PUT', `tasks/${task}`, { title: task, assignee: this.pick(agents) });
    await this.send('PUT', 'tasks/ACME-2', { title: 'below', parent: 'ACME-1' });
  }

  async step(): Promise<void> {
    const [agent, task] = [this.pick(agents), this.pick(tasks)];
    const moves: readonly (() => Promise<unknown>)[] = [
      () => this.send('POST', 'wakeups', { agent, task }),
      () => this.send('POST', 'wakeups', { agent, task }),
      () => this.send('POST', 'wakeups', { agent, task }),
      () => this.send('POST', 'wakeups', { agent, task }),
      () => this.send('POST', `tasks/${task}/comments`, { body: `@${agent}`, author: { type: 'user', id: 'alice' } }),
      () => this.send('POST', `tasks/${task}/status`, { status: this.pick(statuses) }),
      () => this.send('POST', `tasks/${task}/assign`, { agent }),
      () => this.send('POST', `tasks/${task}/blockers`, { blockedBy: [] }),
      () => this.send('POST', `tasks/${task}/blockers`, { blockedBy: [this.pick(tasks)] }),
      () => this.send('POST', `tasks/${task}/blockers`, { blockedBy: [this.pick(tasks)] }),
      () => this.send('POST', `tasks/${task}/${this.pick(['hold', 'release', 'release'])}`, {}),
      () => this.holdAll(this.pick(['hold', 'release', 'release'])),
      () => this.send('POST', `agents/${agent}/${this.pick(['pause', 'resume', 'resume'])}`, {}),
      () => this.send('POST', `/v1/companies/acme/${this.pick(['hold', 'release', 'release', 'release'])}`, {}),
      () => this.finish(),
      () => this.finish(),
      () => this.finish(),
      () => this.cancel(),
      () => this.promote(),
      () => this.promote(),
      () => this.claim(agent),
      () => this.claim(agent),
      () => this.claim(agent),
    ];
    await this.pick(moves)();
  }

  private holdAll(verb: string): Promise<unknown> {
    return this.send('POST', `tasks/ACME-1/${verb}`, verb === 'hold' ? { subtree: true } : {});
  }

  /** Whatever is queued for the agent is taken, or given up, or stays: as was said before. */
  private async claim(agent: string): Promise<void> {
    const queued = await this.runs('queued', agent);
    const said = new Map(await Promise.all(queued.map(async (run) => [run, await this.codes(run)] as const)));
    const before = await this.leases(agent);
    const request = { workerId: 'w', requestId: randomUUID(), max: 10 };
    const { runs } = await this.send('POST', `agents/${agent}/claims`, request);
    const claimed = Object.values(runs!).map(({ run, lease }) => ({ run: run!.id! as string, lease: lease!.token! as string }));
    this.held.push(...claimed);
    const left = await this.runs('queued', agent);
    // Of several that could be taken there may not be room for all; one that is given up has had a place as well.
    const isFull = before + queued.length - left.length >= 2;
    for (const [run, codes] of said) {
      const wasClaimed = claimed.some((one) => one.run === run);
      const isKept = codes.some((code) => keeping.includes(code)) || (await this.wasBehind(run, codes));
      const isBarred = codes.some((code) => barring.includes(code));
      const became = wasClaimed ? 'claimed' : left.includes(run) ? 'left' : 'given up';
      const foretold = isKept ? 'left' : isBarred ? 'given up' : 'claimed';
      this.seen.add(foretold);
      if (became === 'left' && isFull && foretold !== 'left') continue;
      expect({ run, codes, became }).toEqual({ run, codes, became: foretold });
    }
  }

  private async promote(): Promise<void> {
    await this.advance(this.pick([1_000, 61_000, 61_000]));
    const parked = await this.runs('scheduled_retry');
    const said = new Map(await Promise.all(parked.map(async (run) => [run, await this.codes(run)] as const)));
    const { runIds } = await this.send('POST', 'retries/promote-due', {});
    const promoted = Object.values(runIds!) as string[];
    for (const [run, codes] of said) {
      const isKept = codes.some((code) => [...keeping, 'DUE_LATER', 'AGENT_TERMINATED'].includes(code));
      this.seen.add(isKept ? 'parked' : 'promoted');
      expect({ run, codes, isPromoted: promoted.includes(run) }).toEqual({ run, codes, isPromoted: !isKept });
    }
  }

  /** On its own lane; one that only goes before it may be taken together with it. */
  private async wasBehind(run: string, codes: readonly ReasonCode[]): Promise<boolean> {
    return codes.includes('BEHIND_RUN') && this.behindOnLane.has(run);
  }

  private readonly behindOnLane = new Set<string>();

  private async codes(run: string): Promise<ReasonCode[]> {
    const { reasons } = (await this.send('GET', `runs/${run}/why`)) as unknown as Why;
    this.behindOnLane.delete(run);
    if (reasons.some(({ code, sentence }) => code === 'BEHIND_RUN' && sentence.includes('is running')))
      this.behindOnLane.add(run);
    expect(reasons).not.toEqual([]);
    return reasons.map(({ code }) => code);
  }

  private async finish(): Promise<void> {
    const [claimed] = this.held.splice(this.draw(Math.max(1, this.held.length)), 1);
    if (claimed) await this.send('POST', `runs/${claimed.run}/finish`, { lease: claimed.lease, ...this.pick(endings) });
  }

  private async cancel(): Promise<void> {
    const [run] = await this.runs('running');
    if (run) await this.send('POST', `runs/${run}/cancel`, { reason: 'enough', intent: this.pick(['stop', 'requeue']) });
  }

  private async advance(ms: number): Promise<void> {
    const { now } = await this.send('GET', '/v1/clock');
    await this.send('PUT', '/v1/clock', { now: new Date(Date.parse(now!) + ms).toISOString() });
  }

  private async runs(status: string, agent?: string): Promise<string[]> {
    const position = await this.server.ledger.store.head();
    const query = `runs?status=${status}&limit=100${agent ? `&agent=${agent}` : ''}`;
    const { body } = await this.server.api('GET', query, undefined, { 'ledger-min-position': position });
    return Object.values(body.items!).map(({ id }) => id as string);
  }

  private async leases(agent: string): Promise<number> {
    const { rows } = await this.server.database.pool.query<{ count: number }>(
      'select count(*)::int from lane_leases where agent = $1',
      [agent],
    );
    return rows[0]!.count;
  }

  /** What may not be is refused. */
  private async send(method: string, path: string, body?: object): Promise<Body> {
    const answer = await this.server.api(method, path, body, { 'x-actor': 'user:alice' });
    if (![200, 201, 202, 409, 422].includes(answer.status)) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[this.draw(choices.length)]!;
  }
}

describe('what is said of a run before it is asked for', () => {
  /** One that comes to everything soon; SEED draws another. */
  const seed = Number(process.env.SEED ?? 2);
  let server: TestServer;

  beforeAll(async () => {
    console.log(`seed ${seed}`);
    server = await startServer({ roles: ['api', 'projector'], clock: 'manual' });
  });
  afterAll(() => server.stop());

  it('foretells what a claim takes, gives up and leaves, and what is promoted', async () => {
    const play = new Play(server, seeded(seed));
    await play.begin();
    for (let step = 0; step < 150 || (play.seen.size < 5 && step < 2_000); step++) await play.step();
    expect([...play.seen].toSorted()).toEqual(['claimed', 'given up', 'left', 'parked', 'promoted']);
  }, 120_000);
});
