import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../../src/cli/client.js';
import { Problem, Unanswered } from '../../src/cli/problem.js';

describe('the client', () => {
  let server: Server;
  afterEach(() => server.close());

  async function against(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Client> {
    server = createServer(answer);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    return new Client({ url: `http://127.0.0.1:${port}`, company: 'acme', token: 'k1', actor: 'user:alice' });
  }

  it('speaks for somebody, in a company, with a key', async () => {
    const client = await against(({ url, headers }, response) => {
      response.setHeader('ledger-position', '42').end(JSON.stringify({ url, headers }));
    });
    const { body, position } = await client.post<IncomingMessage>(
      ['tasks', 'a/b', 'status'],
      {},
      { key: 'once', query: { wait: 20, status: ['x', 'y'] } },
    );
    expect(body.url).toBe('/v1/companies/acme/tasks/a%2Fb/status?wait=20&status=x&status=y');
    expect(body.headers).toMatchObject({ 'x-actor': 'user:alice', 'idempotency-key': 'once', authorization: 'Bearer k1' });
    expect(position).toBe('42');
  });

  it('throws the problem that it is answered', async () => {
    const client = await against((_, response) => {
      response
        .writeHead(503, { 'retry-after': '2' })
        .end(JSON.stringify({ detail: 'later', code: 'contention', retryable: true }));
    });
    const problem: unknown = await client.get(['runs']).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 503, code: 'contention', retryable: true, retryAfterMs: 2_000, message: 'later' });
  });

  it('throws what a proxy says that knows no problems', async () => {
    const client = await against((_, response) => response.writeHead(502).end('bad gateway'));
    await expect(client.get(['runs'])).rejects.toThrow('bad gateway');
  });

  it('says that nobody listens, and what to do', async () => {
    const client = await against(() => {});
    await new Promise((closed) => server.close(closed));
    const error: unknown = await client.get(['runs']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Unanswered);
    const message = `no ledger answers at ${client.options.url}: start one with npm start, or set LEDGER_URL`;
    expect(error).toMatchObject({ message, refused: true });
  });

  it('says how long it has waited in vain', async () => {
    const client = await against(() => {});
    await expect(client.read(['runs'], {}, { timeoutMs: 50 })).rejects.toThrow('no answer within 0.05 s');
    server.closeAllConnections();
  });
});
