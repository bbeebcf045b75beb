import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `node <script> <args>` in a process of its own, once it has printed `word`; `ms` is how long that took. */
export async function startProcess(script, { args = [], env = {}, word = 'ready' } = {}) {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let said = '';
  await new Promise((ready, fail) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (said.includes(word)) ready();
    });
    void ended.then(([code]) => fail(new Error(`${script} ended with ${code} before it was ready: ${said}`)));
  });
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
  };
  return { pid: child.pid, ms: performance.now() - start, stop };
}

/** A server of the ledger: `env` as README.md describes it. */
export const startLedger = (env) => startProcess('dist/cli/main.js', { args: ['serve'], env: { LOG_LEVEL: 'warn', ...env } });

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
