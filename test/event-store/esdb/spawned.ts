import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Order } from './orders.js';

const run = promisify(execFile);

/** A protocol server in a process of its own: it can be killed, and stopped by signal. */
export class SpawnedProtocolServer {
  private constructor(
    readonly url: string,
    readonly process: ChildProcess,
    private readonly answers: AsyncIterator<string>,
  ) {}

  static async start(port = 0): Promise<SpawnedProtocolServer> {
    const folder = await compile();
    const child = spawn(process.execPath, [join(folder, 'serve.js'), String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { url } = JSON.parse((await lines.next()).value);
    rmSync(folder, { recursive: true });
    return new SpawnedProtocolServer(url, child, lines);
  }

  /** Resolves when it is done, with what was asked for. */
  async tell(order: Order): Promise<unknown> {
    this.process.stdin!.write(`${JSON.stringify(order)}\n`);
    return JSON.parse((await this.answers.next()).value);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

/** As JavaScript, where its packages are found; loaded whole before it prints its address. */
async function compile(): Promise<string> {
  mkdirSync('node_modules/.cache', { recursive: true });
  const folder = resolve(mkdtempSync('node_modules/.cache/esdb-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const shape = ['--ignoreConfig', '--noCheck', '--module', 'nodenext', '--target', 'es2023'];
  const place = ['--rootDir', 'test/event-store/esdb', '--outDir', folder, 'test/event-store/esdb/serve.ts'];
  await run(process.execPath, ['node_modules/typescript7/bin/tsc', ...shape, ...place]);
  return folder;
}
