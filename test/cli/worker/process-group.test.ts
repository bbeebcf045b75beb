import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLeader } from '../../../src/cli/worker/leader.js';
import { ProcessGroup } from '../../../src/cli/worker/process-group.js';
import { RunFolder } from '../../../src/cli/worker/run-folder.js';
import { isRunning } from '../processes.js';

const homes: string[] = [];
afterAll(() => homes.forEach((home) => rmSync(home, { recursive: true })));

/** A command under a lease of a minute, or of `leaseMs`, and what it has said so far. */
function start(command: string | string[], { env = { PATH: '/usr/bin:/bin' } as NodeJS.ProcessEnv, leaseMs = 60_000 } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'ledger-group-'));
  homes.push(home);
  const folder = new RunFolder(home);
  folder.allowUntil(performance.now() + leaseMs);
  const group = new ProcessGroup(startLeader(typeof command === 'string' ? ['sh', '-c', command] : command, env, folder));
  const said = () => readFileSync(folder.outputs.stdout, 'utf8');
  return { group, folder, said, saidWrongly: () => readFileSync(folder.outputs.stderr, 'utf8') };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await new Promise((resume) => setTimeout(resume, 10)))
    if (Date.now() > end) throw new Error(`not within 10 s: ${what}`);
}

describe('a command in its own process group', () => {
  it('says all that it has to say before its end is told', async () => {
    const { group, said, saidWrongly } = start('echo out; echo err >&2; exit 3');
    await expect(group.exited).resolves.toEqual({ code: 3, signal: null });
    expect([said(), saidWrongly()]).toEqual(['out\n', 'err\n']);
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
    await expect(group.exited).resolves.toEqual({ code: 143, signal: 'SIGTERM' });
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
  it('is started by no shell: a word of the shell is no command', async () => {
    const { group } = start(['exit', '0']);
    await expect(group.exited).resolves.toMatchObject({ notStarted: 'exit: there is no such command on this machine' });
  });

  it('gets its arguments as they are', async () => {
    const { group, said } = start(['printf', '[%s]', 'a b', '$HOME', '', `it's "so"`]);
    await group.exited;
    expect(said()).toBe(`[a b][$HOME][][it's "so"]`);
  });

  it('leaves its exit code behind, and no word of the shell that watched it', async () => {
    const { group, folder, saidWrongly } = start('kill -KILL $$');
    await expect(group.exited).resolves.toEqual({ code: 137, signal: 'SIGKILL' });
    expect(folder.exitCode()).toBe(137);
    expect(saidWrongly()).toBe('');
  });

  it('does not live longer than its lease, even if it does not listen', async () => {
    const began = performance.now();
    const { group, folder } = start(`trap '' TERM USR1; while :; do sleep 0.05; done`, { leaseMs: 3_000 });
    await expect(group.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    expect(performance.now() - began).toBeLessThan(3_500);
    expect(folder.exitCode()).toBeUndefined();
  });

  it('goes on as long as its lease is renewed', async () => {
    const { group, folder } = start('sleep 3', { leaseMs: 2_500 });
    folder.allowUntil(performance.now() + 60_000);
    await expect(group.exited).resolves.toMatchObject({ code: 0 });
  });
});
