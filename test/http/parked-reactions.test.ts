import { runCommand } from '../../src/cli/program.js';
import { startServer, type TestServer } from '../server.js';

const reaction = '48039366-7088-5cb7-893e-d3632879bcae';
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.database.pool.query(
    `insert into parked_reactions (policy, stream, position, event_stream, event_revision, command, fields, command_id, error)
     values ('holds', 'task-acme.A', '0000000000000007', 'agent-acme.coder', 1, 'InterruptRun', '{}', $1, 'TypeError: no such thing')`,
    [reaction],
  );
});
afterAll(() => server.stop());

it('are listed and given up by hand, over REST and with the command line', async () => {
  const { api } = server;
  const listed = { reaction, policy: 'holds', stream: 'task-acme.A', command: 'InterruptRun', error: 'TypeError: no such thing' };
  expect((await api('GET', '/v1/parked-reactions?policy=holds')).body).toMatchObject({ items: [listed] });
  expect((await api('GET', '/v1/parked-reactions?policy=blockers')).body).toEqual({ items: [] });
  expect(await api('POST', `/v1/parked-reactions/${reaction}/drop`, {})).toMatchObject({ status: 400 });
  process.env.LEDGER_URL = server.url;
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const complain = jest.spyOn(console, 'error').mockReturnValue();
  expect(await runCommand(['policies', 'parked', '--drop', reaction])).toBe(2);
  expect(complain).toHaveBeenCalledWith(expect.stringContaining('give --reason'));
  expect(await runCommand(['policies', 'parked', '--drop', reaction, '--reason', 'done by hand', '-o', 'table'])).toBe(0);
  expect(write).toHaveBeenLastCalledWith(`${reaction} is given up\n`);
  expect(await runCommand(['policies', 'parked', '-o', 'table'])).toBe(0);
  expect(write).toHaveBeenLastCalledWith('none\n');
  jest.restoreAllMocks();
  delete process.env.LEDGER_URL;
  expect(await api('POST', `/v1/parked-reactions/${reaction}/drop`, { reason: 'again' })).toMatchObject({
    status: 404,
    body: { code: 'parked_reaction_not_found' },
  });
  expect(await server.ledger.store.readStream('operations')).toMatchObject([
    { type: 'ParkedReactionDropped', data: { ...listed, reason: 'done by hand' }, metadata: { actor: { type: 'user' } } },
  ]);
});
