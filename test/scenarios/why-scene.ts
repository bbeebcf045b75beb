import { randomUUID } from 'node:crypto';
import { runCommand } from '../../src/cli/program.js';
import type { Reason, ReasonCode, Why } from '../../src/projections/why/reason.js';
import { startServer, type Body, type TestServer } from '../server.js';

/** A server whose clock stands still until a test moves it, with what operators and workers do there. */
export class Scene {
  private constructor(readonly server: TestServer) {}

  static async at(options: Parameters<typeof startServer>[0]): Promise<Scene> {
    return new Scene(await startServer({ clock: 'manual', ...options }));
  }

  async send(method: string, path: string, body?: object): Promise<Body> {
    const answer = await this.server.api(method, path, body, { 'x-actor': 'user:alice' });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** An agent, and a task of its own, for which it is woken. */
  async given(agent: string, task: string, policy: object = {}): Promise<void> {
    await this.send('PUT', `agents/${agent}`, { name: agent, policy });
    await this.send('PUT', `tasks/${task}`, { title: task, assignee: agent });
  }

  /** Answers the id of the demand. */
  async wake(agent: string, task: string): Promise<string> {
    return (await this.send('POST', 'wakeups', { agent, task })).wakeup!.id!;
  }

  async claim(agent: string): Promise<{ run: string; lease: string } | undefined> {
    const { runs } = await this.send('POST', `agents/${agent}/claims`, { workerId: `${agent}-host`, requestId: randomUUID() });
    const [claimed] = Object.values(runs!);
    return claimed && { run: claimed.run!.id!, lease: claimed.lease!.token! };
  }

  async work(agent: string, ending: object): Promise<string> {
    const claimed = await this.claim(agent);
    if (!claimed) throw new Error(`there is nothing to claim for ${agent}`);
    await this.finish(claimed, ending);
    return claimed.run;
  }

  finish({ run, lease }: { run: string; lease: string }, ending: object): Promise<Body> {
    return this.send('POST', `runs/${run}/finish`, { lease, ...ending });
  }

  async advance(ms: number): Promise<void> {
    const { now } = await this.send('GET', '/v1/clock');
    await this.send('PUT', '/v1/clock', { now: new Date(Date.parse(now!) + ms).toISOString() });
  }

  async why(path: string): Promise<Why> {
    return (await this.send('GET', `${path}/why`)) as unknown as Why;
  }

  async codes(path: string): Promise<ReasonCode[]> {
    return (await this.why(path)).reasons.map(({ code }) => code);
  }

  async reason(path: string, code: ReasonCode): Promise<Reason> {
    const { reasons } = await this.why(path);
    const found = reasons.find((reason) => reason.code === code);
    if (!found) throw new Error(`${path} is not explained by ${code}, but by ${JSON.stringify(reasons, null, 1)}`);
    expect(Date.parse(found.since)).toBeLessThanOrEqual(Date.parse((await this.send('GET', '/v1/clock')).now!));
    return found;
  }

  /** The command that a reason names, as it is typed. */
  async carryOut({ action = '' }: Reason): Promise<void> {
    expect({ action, exit: await this.exitOf(action.replace('ledger ', '')) }).toEqual({ action, exit: 0 });
  }

  async exitOf(line: string): Promise<number> {
    return (await this.typed(line, 'json')).exit;
  }

  /** What a command line prints. */
  async told(line: string, format: string): Promise<string> {
    return (await this.typed(line, format)).out;
  }

  private async typed(line: string, format: string): Promise<{ exit: number; out: string }> {
    let out = '';
    const printed = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    const said = [jest.spyOn(process.stderr, 'write').mockReturnValue(true), jest.spyOn(console, 'error').mockReturnValue()];
    process.env.LEDGER_URL = this.server.url;
    const exit = await runCommand([...line.split(' '), '--company', 'acme', '-o', format]);
    delete process.env.LEDGER_URL;
    for (const spy of [printed, ...said]) spy.mockRestore();
    return { exit, out };
  }

  /** Wherever it is asked, the reason is the same; the command that it names makes it go away. */
  async expectClears(code: ReasonCode, ...paths: readonly [string, ...string[]]): Promise<Reason> {
    const [reason, ...others] = await Promise.all(paths.map((path) => this.reason(path, code)));
    for (const other of others) expect(other).toEqual(reason);
    await this.carryOut(reason!);
    for (const path of paths) expect(await this.codes(path)).not.toContain(code);
    return reason!;
  }

  /** As it is by now. */
  async run(id: string): Promise<Body> {
    const position = await this.server.ledger.store.head();
    return (await this.server.api('GET', `runs/${id}`, undefined, { 'ledger-min-position': position })).body;
  }

  async demandOf(run: string): Promise<string> {
    return `wakeups/${(await this.run(run)).wakeups![0]}`;
  }
}
