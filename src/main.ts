import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Dispatch } from './commands/dispatch.js';
import { serverConfig, type ServerConfig } from './config.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { Drain } from './http/drain.js';
import { listen } from './http/listen.js';
import { LedgerProcess } from './ledger-process.js';
import { createLog } from './log.js';
import { nestLogger } from './nest-logger.js';
import { storeAt } from './open-store.js';

/**
 * `ledger serve`: runs until it is told to stop (SIGINT, SIGTERM); resolves when everything that it started has ended. Ends by an error
 * when the ledger goes on in another log than this server works on.
 * `onReady` is told where it listens, which with PORT=0 nobody knows before; without the role api, nowhere.
 */
export async function serve(
  config: ServerConfig = serverConfig(),
  onReady: (url: string | undefined) => void = () => {},
): Promise<void> {
  const stopped = stopSignal();
  const log = createLog(config.logLevel);
  const openStore = await storeAt(config.eventStoreUrl);
  const postgres = config.databaseUrl ? undefined : await startEmbeddedPostgres({ home: config.home });
  if (postgres?.note) log.warn(postgres.note);
  const ledger = new LedgerProcess(config.databaseUrl ?? postgres!.url, { ...config, openStore }, log);
  try {
    await ledger.start();
    const { app, url } = await open(ledger, config, nestLogger(log));
    ledger.startLoops(app.get(Dispatch));
    onReady(url);
    sayReady(url);
    const movedAway = await Promise.race([stopped, ledger.movedAway]);
    await app.get(Drain).leave();
    await app.close();
    if (movedAway !== undefined) throw new Error(movedAway);
  } finally {
    await ledger.stop();
    await postgres?.stop();
  }
}

/** Without the role api there is nothing to listen to, and the loops work all the same. */
async function open(ledger: LedgerProcess, { roles, host, port }: ServerConfig, logger: ReturnType<typeof nestLogger>) {
  const module = AppModule.of(ledger);
  if (roles.includes('api')) return listen(module, { host, port, logger });
  return { app: await NestFactory.createApplicationContext(module, { logger }), url: undefined };
}

/** Later signals change nothing: under npm, one Ctrl-C arrives twice, from the terminal and from npm. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });

function sayReady(url: string | undefined): void {
  const seconds = (performance.now() / 1_000).toFixed(1);
  if (!url) return console.log(`The run ledger is ready, without its API, after ${seconds} s.`);
  console.log(`The run ledger is ready at ${url} after ${seconds} s. Try, in another terminal:
  npx ledger agents set coder --retry-delays 5s,10s,20s
  npx ledger wakeups request coder
  npx ledger runs list`);
}
