import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessGroup } from '../../../src/cli/worker/process-group.js';
import { RunFolder } from '../../../src/cli/worker/run-folder.js';
import { isRunning } from '../processes.js';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A command under a lease of a minute unless another is said, and what it has said so far. */
function start(
  command: string | string[],
  { env = { PATH: '/usr/bin:/bin' }, leaseMs = 60_000 }: { env?: NodeJS.ProcessEnv; leaseMs?: number } = {},
) {
  const folder = new RunFolder(mkdtempSync(join(tmpdir(), 'ledger-group-')));
  folders.push(folder.path);
  for (const output of [folder.stdout, folder.stderr]) writeFileSync(output, '');
  folder.keepLease(leaseMs);
  const group = ProcessGroup.start(typeof command === 'string' ? ['sh', '-c', command] : command, env, folder);
  return { group, folder, said: () => readFileSync(folder.stdout, 'utf8'), errors: () => readFileSync(folder.stderr, 'utf8') };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await new Promise((resume) => setTimeout(resume, 10)))
    if (Date.now() > end) throw new Error(`not within 10 s: ${what}`);
}

describe('a command in its own process group', () => {
  it('says all that it has to say before its end is told', async () => {
    const { group, said, errors } = start('echo out; echo err >&2; exit 3');
    await expect(group.exited).resolves.toEqual({ code: 3, signal: null });
    expect([said(), errors()]).toEqual(['out\n', 'err\n']);
  });

  it('is told apart from one that there is not', async () => {
    const { group } = start(['no-such-command-anywhere'], { env: {} });
    await expect(group.exited).resolves.toMatchObject({
      notStarted: 'no-such-command-anywhere: there is no such command on this machine',
    });
  });

  it('gets nothing of the environment but what it is given', async () => {
    const { group, said } = start('echo "[$HOME]"');
    await group.exited;
    expect(said()).toBe('[]\n');
  });

  it('is asked to end, with all that it started', async () => {
    const { group, said } = start('sleep 60 & echo $!; wait');
    await until(() => said().includes('\n'), 'the pid of the child');
    group.terminate(20_000);
    await expect(group.exited).resolves.toEqual({ code: 143, signal: null });
    expect(isRunning(Number(said()))).toBe(false);
  });

  it('is killed when it does not listen', async () => {
    const { group, said } = start(`trap '' TERM; echo ready; while :; do sleep 0.05; done`);
    await until(() => said().includes('ready'), 'the trap');
    group.terminate(100);
    await expect(group.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('takes with it what it left running', async () => {
    const { group, said } = start('sleep 60 >/dev/null 2>&1 & echo $!');
    await expect(group.exited).resolves.toEqual({ code: 0, signal: null });
    expect(isRunning(Number(said()))).toBe(false);
  });

  it('is a file of this machine, never a word of the shell that it runs under', async () => {
    const { group } = start(['exit', '0']);
    await expect(group.exited).resolves.toMatchObject({ notStarted: 'exit: there is no such command on this machine' });
  });

  it('gets its arguments as they are', async () => {
    const { group, said } = start(['printf', '[%s]', 'a b', '$HOME', '', `it's "so"`, '*']);
    await group.exited;
    expect(said()).toBe(`[a b][$HOME][][it's "so"][*]`);
  });

  it('may open its output anew', async () => {
    const { group, errors } = start('echo one >/dev/stderr; echo two >/dev/stderr');
    await group.exited;
    expect(errors()).toBe('one\ntwo\n');
  });

  it('says its last word after it was told to end', async () => {
    const { group, said } = start(`trap 'sleep 0.2; echo bye; exit' TERM; echo ready; while :; do sleep 0.05; done`);
    await until(() => said().includes('ready'), 'the trap');
    group.terminate(20_000);
    await group.exited;
    expect(said()).toBe('ready\nbye\n');
  });

  it('leaves its exit code in the folder, and no word of the shell among its own', async () => {
    const { group, folder, errors } = start('kill -KILL $$');
    await expect(group.exited).resolves.toEqual({ code: 137, signal: null });
    expect([folder.exitCode(), errors()]).toEqual([137, '']);
  });

  it('ends before its lease does, if it listens or not', async () => {
    const began = performance.now();
    const { group, folder } = start(`trap '' TERM INT HUP; while :; do sleep 0.05; done`, { leaseMs: 3_000 });
    await expect(group.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect([folder.exitCode(), folder.wasOver]).toEqual([undefined, true]);
  });

  it('is watched even when its group was told to end', async () => {
    const { group, said } = start(`trap '' TERM; echo ready; while :; do sleep 0.05; done`, { leaseMs: 4_000 });
    await until(() => said().includes('ready'), 'the trap');
    process.kill(-group.pid!, 'SIGTERM');
    await expect(group.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('goes on as long as its lease is renewed', async () => {
    const { group, folder } = start('sleep 3', { leaseMs: 2_500 });
    folder.keepLease(60_000);
    await expect(group.exited).resolves.toMatchObject({ code: 0 });
  });
});
