import { ProcessGroup } from '../../../src/cli/worker/process-group.js';
import { isRunning } from '../processes.js';

/** A command and what it has said so far. */
function start(script: string, env: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin' }) {
  let said = '';
  const take = (chunk: Buffer) => void (said += chunk.toString());
  const group = new ProcessGroup(['sh', '-c', script], { env, onStdout: take, onStderr: take });
  return { group, said: () => said };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await new Promise((resume) => setTimeout(resume, 10)))
    if (Date.now() > end) throw new Error(`not within 10 s: ${what}`);
}

describe('a command in its own process group', () => {
  it('says all that it has to say before its end is told', async () => {
    const { group, said } = start('echo out; echo err >&2; exit 3');
    await expect(group.exited).resolves.toEqual({ code: 3, signal: null });
    expect(said().split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  it('is told apart from one that there is not', async () => {
    const none = () => {};
    const group = new ProcessGroup(['no-such-command-anywhere'], { env: {}, onStdout: none, onStderr: none });
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
    await expect(group.exited).resolves.toEqual({ code: null, signal: 'SIGTERM' });
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
});
