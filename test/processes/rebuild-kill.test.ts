import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { cutOver, rollBack } from '../../src/commands/operations/cut-over.js';
import { abandonRebuild, resumeRebuild } from '../../src/commands/operations/rebuild.js';
import { createPool } from '../../src/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { LedgerProcess } from '../../src/ledger-process.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { anyProjection } from '../../src/projections/projection.js';
import { takeCheckpoint } from '../../src/projections/projector/checkpoint.js';
import { Owners, type Ownership } from '../../src/projections/projector/owner.js';
import { runStatus } from '../../src/projections/run-status.js';
import { countedIds, History, seeded } from '../projections/history.js';
import { Operator } from '../projections/operator.js';
import { compiledLedger } from './compiled.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const name = 'run_status';
const [v1, v2] = ['run_status_v1', 'run_status_v2'] as const;
const silent = { info: () => {}, warn: () => {}, error: () => {} };

let home: string;
let postgres: EmbeddedPostgres;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'run-ledger-rebuild-'));
  chmodSync(home, 0o755);
  postgres = await startEmbeddedPostgres({ home });
  await makeFormer();
});
afterAll(async () => {
  const left = postmaster(postgres.dataDir);
  if (left) process.kill(left.pid, 'SIGQUIT');
  await within(10_000, () => (postmaster(postgres.dataDir) ? undefined : true));
  rmSync(home, { recursive: true, force: true });
});

/** What an operator, and whoever holds up the rebuild where the test wants it, do from a process of their own. */
class Scene {
  readonly operator: Operator;
  private readonly eyes: LedgerProcess;
  private readonly db: pg.Pool;
  private readonly owners: Owners;
  private projector: Ownership | undefined;
  private lock: pg.Client | undefined;

  constructor(
    readonly url: string,
    readonly history: History,
  ) {
    const known = [...projectionsOfTheLedger, { ...anyProjection(runStatus), version: 2 }];
    this.eyes = new LedgerProcess(url, { roles: [], clock: 'system' }, silent, known);
    this.operator = new Operator(this.eyes);
    this.db = createPool(url, 'projector');
    this.owners = new Owners(this.db);
  }

  /** Nobody moves this read model while the other one goes on, from the moment on that its checkpoint is of a later term. */
  async holdProjector(readModel: string): Promise<void> {
    this.projector = await this.owners.seize(`projector ${readModel}`);
    await takeCheckpoint(this.db, readModel, this.projector.term);
  }

  async goesAhead(readModel: string): Promise<void> {
    await this.operator.happens(this.history, 10);
    await until(`${readModel} at the head`, () => this.isAtHead(readModel));
  }

  /** Whoever reads the live rows to compare them waits. */
  holdComparison(): Promise<void> {
    return this.holdTable(v1, 'access exclusive');
  }

  /** Whoever gives the new table its indexes waits; rows are still copied into it. */
  holdIndexes(): Promise<void> {
    return this.holdTable(v2, 'row exclusive');
  }

  private async holdTable(readModel: string, mode: string): Promise<void> {
    this.lock = new pg.Client(this.url);
    this.lock.on('error', () => {});
    await this.lock.connect();
    await this.lock.query(`begin; lock table ${readModel}.${name} in ${mode} mode`);
  }

  async releaseProjector(): Promise<void> {
    await until('a projector that may go on', () => this.giveBack().catch(() => false));
    this.projector = undefined;
  }

  private async giveBack(): Promise<boolean> {
    await this.projector?.release();
    return true;
  }

  async letGo(): Promise<void> {
    await this.releaseProjector();
    await this.lock?.end().catch(() => {});
    this.lock = undefined;
  }

  async comes(phase: string): Promise<void> {
    await until(`the phase ${phase}`, async () => {
      const { rows } = await this.db.query<{ phase: string }>('select phase from rebuild_progress where read_model = $1', [v2]);
      return rows[0]?.phase === phase;
    });
  }

  async comparisonWaits(): Promise<void> {
    await until('a comparison that waits', async () => {
      const { rowCount } = await this.db.query(`select from pg_locks where not granted and relation = '${v1}.${name}'::regclass`);
      return rowCount !== 0;
    });
  }

  async differences(): Promise<number> {
    await until('both at the head', async () => (await this.isAtHead(v1)) && this.isAtHead(v2));
    const { rows } = await this.db.query<{ count: number }>(
      `select count(*) from (
         (select * from ${v1}.${name} except all select * from ${v2}.${name})
         union all
         (select * from ${v2}.${name} except all select * from ${v1}.${name})
       ) differences`,
    );
    return rows[0]!.count;
  }

  async end(): Promise<void> {
    await this.letGo();
    await this.eyes.stop();
    await this.db.end();
  }

  private async isAtHead(readModel: string): Promise<boolean> {
    const { rows } = await this.db.query<{ position: string }>('select position from checkpoints where read_model = $1', [
      readModel,
    ]);
    return rows[0]?.position === (await this.eyes.store.head());
  }
}

/** How a rebuild is brought to a phase and held there; what is to be done when it is let go on. */
interface Phase {
  readonly phase: string;
  readonly bring: (scene: Scene) => Promise<void>;
  readonly goOn?: (scene: Scene) => Promise<void>;
}

const phases: readonly Phase[] = [
  {
    phase: 'filling',
    async bring(scene) {
      await scene.operator.rebuild(name, 2, { eventsPerSecond: 5 });
      await scene.comes('filling');
      await until('its table', () => scene.operator.isThere(v2));
    },
    goOn: async ({ operator }) => void (await operator.says(resumeRebuild, { rebuild: v2, eventsPerSecond: null })),
  },
  {
    phase: 'given its indexes',
    async bring(scene) {
      await scene.operator.rebuild(name, 2, { eventsPerSecond: 5 });
      await until('its table', () => scene.operator.isThere(v2));
      await scene.holdIndexes();
      await scene.operator.says(resumeRebuild, { rebuild: v2, eventsPerSecond: null });
      await scene.comes('indexing');
    },
  },
  {
    phase: 'catching up',
    async bring(scene) {
      await scene.holdProjector(v2);
      await scene.operator.rebuild(name, 2);
      // Otherwise there would be nothing to catch up with, and that phase be over before it is seen.
      await scene.goesAhead(v1);
      await scene.comes('catching_up');
    },
  },
  {
    phase: 'comparing',
    async bring(scene) {
      await scene.holdProjector(v2);
      await scene.operator.rebuild(name, 2);
      await scene.goesAhead(v1);
      await scene.comes('catching_up');
      await scene.goesAhead(v1);
      await scene.holdComparison();
      await scene.releaseProjector();
      await scene.comparisonWaits();
    },
  },
  {
    phase: 'cutting over, when that is decided and not done',
    async bring(scene) {
      await scene.operator.rebuild(name, 2);
      await scene.operator.sees(v2, 'ready');
      await scene.holdProjector(v2);
      await scene.goesAhead(v1);
      await scene.operator.says(cutOver, { rebuild: v2 });
      await scene.operator.sees(v2, 'live');
      expect(await scene.operator.asked(name)).toBe(v1);
    },
  },
  {
    phase: 'rolled back, when that is decided and not done',
    async bring(scene) {
      await scene.operator.rebuild(name, 2);
      await scene.operator.sees(v2, 'ready');
      await scene.operator.says(cutOver, { rebuild: v2 });
      await scene.operator.seesAsked(name, v2);
      await scene.holdProjector(v1);
      await scene.goesAhead(v2);
      await scene.operator.says(rollBack, { projection: name });
      await scene.operator.sees(v2, 'former');
      expect(await scene.operator.asked(name)).toBe(v2);
    },
    goOn: ({ operator }) => operator.seesAsked(name, v1),
  },
];

describe.each(phases)('a rebuild that is $phase', ({ bring, goOn }) => {
  let scene: Scene;
  let server: Server;

  beforeEach(async () => {
    scene = await newScene();
    server = await serve(scene.url);
  });
  afterEach(async () => {
    await server.end('SIGKILL');
    await scene.end();
  });

  it('is brought to its end by another process when its own is killed', async () => {
    await bring(scene);
    await server.end('SIGKILL');
    const other = await serve(scene.url);
    await scene.letGo();
    await goOn?.(scene);
    await expectCutOver(scene);
    expect(await other.end('SIGTERM')).toBe(0);
  });

  it('goes on by itself when Postgres has crashed', async () => {
    await bring(scene);
    process.kill(postgres.pid, 'SIGQUIT');
    await until('no Postgres', () => postmaster(postgres.dataDir) === undefined);
    postgres = await startEmbeddedPostgres({ home });
    await scene.letGo();
    await goOn?.(scene);
    await expectCutOver(scene);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

it('drops what was given up while no server was there', async () => {
  const scene = await newScene();
  const server = await serve(scene.url);
  await phases[0]!.bring(scene);
  await server.end('SIGKILL');
  await scene.operator.says(abandonRebuild, { rebuild: v2 });
  const other = await serve(scene.url);
  await scene.operator.seesGone(v2);
  await other.end('SIGKILL');
  await scene.end();
});

async function expectCutOver(scene: Scene): Promise<void> {
  const { operator, history } = scene;
  const { comparison } = await operator.sees(v2, 'ready', 'live', 'former');
  expect(comparison).toMatchObject({ agrees: true });
  // Decided by the log: for a moment after a crash, what is seen may be from before the last decision. What is decided already stays.
  await operator.says(cutOver, { rebuild: v2 });
  await operator.seesAsked(name, v2);
  await operator.happens(history, 10);
  expect(await scene.differences()).toBe(0);
}

const former = 'former';
const stepsBefore = 300;
const newHistory = () => new History(seeded(3), undefined, countedIds());

/** The database of a server that knew the first version. */
async function makeFormer(): Promise<void> {
  const server = new LedgerProcess(await createDatabase(former), { roles: ['projector'], clock: 'system' }, silent);
  await server.start();
  await new Operator(server).happens(newHistory(), stepsBefore);
  await server.stop();
}

let scenes = 0;

/** What that server left, in a database of the scene's own. */
async function newScene(): Promise<Scene> {
  const history = newHistory();
  history.steps(stepsBefore);
  return new Scene(await createDatabase(`rebuild_${++scenes}`, `template ${former}`), history);
}

async function createDatabase(database: string, how = ''): Promise<string> {
  const admin = new pg.Client(postgres.url);
  await admin.connect();
  await admin.query(`create database ${database} ${how}`);
  await admin.end();
  return postgres.url.replace(/postgres$/, database);
}

interface Server {
  end(signal: NodeJS.Signals): Promise<number | null>;
}

async function serve(url: string): Promise<Server> {
  const compiled = dirname(dirname(await compiledLedger()));
  const child = spawn(process.execPath, ['test/processes/rebuild-server.mjs', compiled, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  await until('a ready server', () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${said.join('\n')}`);
    return said.includes('ready');
  });
  return { end: (signal) => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
