// A server of its own, for rebuild-kill.test.ts: <compiled folder> <database url>. It has a second version of run_status, and builds it.
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';

const [compiled, url] = process.argv.slice(2);
const load = (file) => import(join(compiled, file));
const { AppModule } = await load('app.module.js');
const { Dispatch } = await load('commands/dispatch.js');
const { LedgerProcess } = await load('ledger-process.js');
const { projectionsOfTheLedger } = await load('projections/all.js');

const former = projectionsOfTheLedger.find(({ name }) => name === 'run_status');
const ddl = readFileSync('migrations/read-models/run_status.v1.sql', 'utf8');
const say = (sentence) => console.log(sentence);
const log = { info: say, warn: say, error: say };

const projections = [...projectionsOfTheLedger, { ...former, version: 2, ddl }];
const ledger = new LedgerProcess(url, { roles: ['projector'], clock: 'system' }, log, projections);
await ledger.start();
const app = await NestFactory.createApplicationContext(AppModule.of(ledger), { logger: false });
ledger.startLoops(app.get(Dispatch));
say('ready');
process.on('SIGTERM', async () => {
  await app.close();
  await ledger.stop();
});
