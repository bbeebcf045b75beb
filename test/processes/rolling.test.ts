import { seeded } from '../projections/history.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import type { Answer, Ask } from './ask.js';
import { Balancer } from './balancer.js';
import { freePort } from './free-port.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful } from './log-checks.js';
import { until } from './until.js';

/** `npm run test:processes` goes on for longer. */
const rounds = Number(process.env.ROLLING_ROUNDS ?? 1);

jest.setTimeout(60_000 + rounds * 40_000);

/** A client that is told everything once: what is no success is a failure, whatever it says of being sent again. */
class StrictLoad extends Load {
  constructor(
    private readonly balancer: Balancer,
    draw: ConstructorParameters<typeof Load>[1],
  ) {
    super(() => '', draw, 'strict');
  }

  protected override insist(command: Ask): Promise<Answer> {
    const unanswered = (error: unknown) => ({ status: 0, headers: new Headers(), text: String(error), body: undefined });
    return this.balancer.send(command).catch(unanswered);
  }
}

describe('servers that are restarted in turn under load', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let database: TestDatabase;
  let load: Load | undefined;
  let balancer: Balancer | undefined;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(async () => {
    await load?.stop();
    await balancer?.stop();
    await endAll();
    await database.drop();
  });

  it(`fail no command, ${rounds} times each (SEED=${seed})`, async () => {
    const ports = [await freePort(), await freePort()];
    const serve = (port: number) => serveLedger({ DATABASE_URL: database.url, PORT: String(port) });
    const servers = await Promise.all(ports.map(serve));
    const front = (balancer = new Balancer(servers.map(({ url }) => url)));
    const isReady = ({ url }: LedgerServer) => until('a server that is asked', () => front.isReady(url));
    await Promise.all(servers.map(isReady));
    const clients = (load = new StrictLoad(front, seeded(seed)));
    clients.start(6);

    for (let restart = 0; restart < 2 * rounds; restart += 1) {
      const which = restart % 2;
      const enough = clients.acknowledged.length + 50;
      await until('commands under way', () => clients.acknowledged.length >= enough);
      expect(await servers[which]!.end('SIGTERM')).toEqual({ code: 0, signal: null });
      servers[which] = await serve(ports[which]!);
      await isReady(servers[which]);
    }
    await clients.stop();
    await caughtUp(servers[0]!.url);

    const log = await readLog(database.url);
    expect(clients.unexpected).toEqual([]);
    expect(await lostCommands(database.url, clients.acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(database.pool, await readLog(database.url))).length === 0,
    );
    console.log(`${clients.acknowledged.length} commands, ${front.refused} connections refused`);
  });
});
