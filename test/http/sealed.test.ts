import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

const roles = ['api', 'projector', 'policies', 'promoter', 'reaper', 'scheduler'] as const;
const key = { 'idempotency-key': 'k-1' };
const cron = [{ id: 'schedule', kind: 'schedule', cron: '* * * * *', zone: 'UTC' }];

describe('a log that is closed for writes', () => {
  let server: TestServer;
  const said: string[] = [];
  beforeAll(async () => {
    const say = (sentence: string) => void said.push(sentence);
    server = await startServer({ roles, clock: 'manual', log: { info: say, warn: say, error: say } });
    await server.api('PUT', 'agents/coder', {});
    for (let n = 0; n < 30; n++) await server.api('PUT', `routines/r-${n}`, { title: 'Look', agent: 'coder', triggers: cron });
    await server.ledger.storedLog.seal();
  });
  afterAll(() => server.stop());

  it('answers commands 503 with what opens it, and reads as ever', async () => {
    const { status, headers, body } = await server.api('PUT', 'tasks/ACME-1', { title: 'Meanwhile' }, key);
    expect([status, body.code, body.retryable, headers.get('retry-after')]).toEqual([503, 'store_sealed', true, '1']);
    expect(body.detail).toContain('ledger store unseal');
    expect((await server.api('GET', 'agents/coder')).status).toBe(200);
  });

  it('has whoever works by itself try again with few words, however much is due', async () => {
    const { now } = (await server.api('GET', '/v1/clock')).body;
    await server.api('PUT', '/v1/clock', { now: new Date(Date.parse(now) + 90_000).toISOString() });
    await until('the scheduler says so', () => said.some((line) => line.includes('sealed')));
    expect(said.filter((line) => line.includes('sealed'))).toHaveLength(1);
  });

  it('does what was refused when it is open again, once', async () => {
    await server.ledger.storedLog.unseal();
    const first = await server.api('PUT', 'tasks/ACME-1', { title: 'Meanwhile' }, key);
    const again = await server.api('PUT', 'tasks/ACME-1', { title: 'Meanwhile' }, key);
    expect([first, again].map(({ status, headers }) => [status, headers.get('idempotent-replayed')])).toEqual([
      [200, null],
      [200, 'true'],
    ]);
    const fired = await until('every routine has fired', async () => {
      const { body } = await server.api('GET', '/v1/events?types=RoutineFired&limit=100');
      return (body.items as unknown as unknown[]).length === 30 && body.items;
    });
    expect(new Set((fired as unknown as { stream: string }[]).map(({ stream }) => stream)).size).toBe(30);
  });
});
