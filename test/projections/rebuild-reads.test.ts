import { cutOver, dropReadModel, rollBack } from '../../src/commands/operations/cut-over.js';
import { pause } from '../../src/pause.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { startServer, type TestServer } from '../server.js';
import { History, seeded } from './history.js';
import { Operator } from './operator.js';

jest.setTimeout(60_000);

const [name, v1] = ['run_status', 'run_status_v1'];

let database: TestDatabase;
/** One of them follows the log and changes what is asked; the other one only reads. */
let servers: TestServer[];
let operator: Operator;
let history: History;

beforeEach(async () => {
  database = await freshDatabase();
  servers = [await startServer({ database }), await startServer({ database, roles: ['api'] })];
  operator = new Operator(servers[0]!.ledger);
  history = new History(seeded(1));
  await operator.happens(history, 300);
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  await database.drop();
});

it('answers every read while it is cut over, rolled back, cut over again and dropped under load', async () => {
  const rebuild = await operator.rebuild(name, 1);
  await operator.sees(rebuild, 'ready');
  const load = new Load();
  await load.goesOn(200);
  const before = load.longestSoFar();
  for (const [asked, change] of steps(rebuild)) {
    await load.goesOn(40);
    await change();
    await operator.seesAsked(name, asked);
  }
  // At once, when other servers have not heard yet that it is not asked any more.
  await operator.says(dropReadModel, { projection: name, readModel: v1 });
  await operator.seesGone(v1);
  await load.goesOn(40);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.answers).toBeGreaterThan(400);
  console.log(`${load.answers} reads: the longest took ${load.longestSoFar()} ms, ${before} ms before the first cut-over`);
});

const steps = (rebuild: string): [asked: string, change: () => Promise<unknown>][] => [
  [rebuild, () => operator.says(cutOver, { rebuild })],
  [v1, () => operator.says(rollBack, { projection: name })],
  [rebuild, () => operator.says(cutOver, { rebuild })],
];

/** Readers of both servers, half of whom ask to see the last event, while the log grows. */
class Load {
  answers = 0;
  readonly failures: string[] = [];
  private longestMs = 0;
  private isOver = false;
  private readonly running: Promise<void>[];

  constructor() {
    this.running = [this.grow(), ...servers.flatMap((server) => [this.read(server, false), this.read(server, true)])];
  }

  async goesOn(reads: number): Promise<void> {
    const enough = this.answers + reads;
    while (this.answers < enough && !this.isOver) await new Promise((resolve) => setImmediate(resolve));
  }

  /** in ms; begins anew */
  longestSoFar(): number {
    const longest = Math.round(this.longestMs);
    this.longestMs = 0;
    return longest;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  private async grow(): Promise<void> {
    for (; !this.isOver; await pause(5)) await operator.happens(history, 1);
  }

  private async read(server: TestServer, theLast: boolean): Promise<void> {
    while (!this.isOver) {
      const headers = theLast ? { 'ledger-min-position': await server.ledger.store.head() } : undefined;
      const began = performance.now();
      const { status, body } = await server.api('GET', 'runs?limit=20', undefined, headers);
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
      this.answers += 1;
      if (status !== 200 || body.items.length !== 20) this.failures.push(`${status} ${JSON.stringify(body)}`.slice(0, 300));
    }
  }
}
