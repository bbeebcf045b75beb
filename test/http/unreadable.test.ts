import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { answerUnreadable } from '../../src/http/unreadable.js';

it('tells a client that its request did not come in time', async () => {
  const server = createServer({ requestTimeout: 50, connectionsCheckingInterval: 10 });
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve, reject) => {
    let told = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'),
    );
    socket.on('data', (data) => (told += data.toString()));
    socket.on('close', () => resolve(told));
    socket.on('error', reject);
  });
  server.close();
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'request_timeout', status: 408 });
});
