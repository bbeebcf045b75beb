import { listen } from '../src/http/listen.js';
import { AppModule } from '../src/app.module.js';
import { Dispatch } from '../src/commands/dispatch.js';
import type { ServerConfig } from '../src/config.js';
import type { Rate } from '../src/http/rate-limit.js';
import type { StreamLimits } from '../src/http/stream/live-streams.js';
import type { Log } from '../src/log.js';
import { LedgerProcess } from '../src/ledger-process.js';
import { storeAt } from '../src/open-store.js';
import type { AnyProjection } from '../src/projections/projection.js';
import { freshDatabase, type TestDatabase } from './postgres.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** parsed; text where it is no JSON */
  readonly body: Body;
}

/** JSON that a test looks into; what it takes out of it to send it again is text. */
export type Body = string & { readonly [field: string]: Body; readonly [index: number]: Body };

type RequestHeaders = Record<string, string>;

export interface TestServer {
  readonly url: string;
  readonly database: TestDatabase;
  readonly ledger: LedgerProcess;
  /** A path below the company acme, or one that begins with `/`; a string is sent as it is. */
  api(method: string, path: string, body?: object | string, headers?: RequestHeaders): Promise<Answer>;
  /** Stops listening; the ledger goes on until `stop`. */
  close(): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  readonly roles?: ServerConfig['roles'];
  readonly clock?: ServerConfig['clock'];
  readonly auditKey?: ServerConfig['auditKey'];
  readonly secretKey?: ServerConfig['secretKey'];
  /** default: what the ledger has to say is lost */
  readonly log?: Log;
  readonly rate?: Rate;
  readonly streams?: Partial<StreamLimits>;
  readonly projections?: readonly AnyProjection[];
  /** of another server; without one, a database of its own */
  readonly database?: TestDatabase;
  /** of an EventStoreDB that keeps the events; without one, the database does */
  readonly eventStoreUrl?: string;
}

/** The real application on a free port of 127.0.0.1, in this process. */
export async function startServer({
  roles = ['api', 'projector'],
  clock = 'system',
  auditKey,
  secretKey = Buffer.alloc(32, 7),
  log = silent,
  rate,
  streams,
  projections,
  database: shared,
  eventStoreUrl,
}: Options = {}): Promise<TestServer> {
  const database = shared ?? (await freshDatabase());
  const openStore = await storeAt(eventStoreUrl);
  const ledger = new LedgerProcess(database.url, { roles, clock, auditKey, secretKey, openStore }, log, projections);
  await ledger.start().catch(async (error: unknown) => {
    await ledger.stop();
    if (!shared) await database.drop();
    throw error;
  });
  const { app, url } = await listen(AppModule.of(ledger), { host: '127.0.0.1', port: 0, logger: false, rate, streams });
  ledger.startLoops(app.get(Dispatch));
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= app.close());
  const stop = async () => {
    await close();
    await ledger.stop();
    if (!shared) await database.drop();
  };
  return { url, database, ledger, api: (...request) => send(url, ...request), close, stop };
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

async function send(
  url: string,
  method: string,
  path: string,
  body?: object | string,
  headers: RequestHeaders = {},
): Promise<Answer> {
  const address = path.startsWith('/') ? `${url}${path}` : `${url}/v1/companies/acme/${path}`;
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const typed = text === undefined ? headers : { 'content-type': 'application/json', ...headers };
  const response = await fetch(address, { method, body: text, headers: typed });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) as Body };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
