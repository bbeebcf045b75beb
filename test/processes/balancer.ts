import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { get, type Answer, type Ask } from './ask.js';

const lookEveryMs = 200;

/**
 * What stands before several servers: it asks each for its readiness, sends requests to those that are ready in turn, over connections
 * that it keeps as long as they let it, and sends again only what no server has taken, because no connection came about.
 */
export class Balancer {
  /** how often a server was not there to be connected to */
  refused = 0;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly ready = new Set<string>();
  private readonly stopping = new AbortController();
  private readonly watching: Promise<void>[];
  private turn = 0;

  constructor(urls: readonly string[]) {
    this.watching = urls.map((url) => this.watch(url));
  }

  isReady(url: string): boolean {
    return this.ready.has(url);
  }

  /** Any error but of connecting is the sender's: what became of the request, nobody knows. */
  async send(ask: Ask): Promise<Answer> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      if (performance.now() > deadline) throw new Error('no server was ready for 20 s');
      const url = this.next();
      if (url === undefined) await pause(lookEveryMs);
      else
        try {
          return await this.sendTo(url, ask);
        } catch (error) {
          if (!isRefused(error)) throw error;
          this.refused += 1;
          this.ready.delete(url);
        }
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.watching);
    this.agent.destroy();
  }

  private next(): string | undefined {
    const ready = [...this.ready];
    this.turn += 1;
    return ready[this.turn % ready.length];
  }

  private async watch(url: string): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const answer = await get(url, '/readyz').catch(() => undefined);
      if (answer?.status === 200) this.ready.add(url);
      else this.ready.delete(url);
      await pause(lookEveryMs, undefined, { signal }).catch(() => {});
    }
  }

  private sendTo(url: string, { method, path, body, headers }: Ask): Promise<Answer> {
    const content = body && JSON.stringify(body);
    const length =
      content === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
    return new Promise((resolve, reject) => {
      const sent = request(`${url}/v1/companies/acme/${path}`, { method, agent: this.agent, headers: { ...headers, ...length } });
      sent.on('error', reject).on('response', (response) => {
        const parts: Buffer[] = [];
        response
          .on('error', reject)
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => {
            const text = Buffer.concat(parts).toString();
            resolve({ status: response.statusCode!, headers: new Headers(), text, body: JSON.parse(text) });
          });
      });
      sent.end(content);
    });
  }
}

const isRefused = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
