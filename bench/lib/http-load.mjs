// The lightest client that there is, in a process of its own, so that the server has the machine: raw sockets, one request in flight
// on each, spread over the servers. Each message {ports, connections, ms} is answered with what was measured. Sends PUT of a task that is
// new each time, or, with a list of `paths`, GET of one after another, in turn.
import { connect } from 'node:net';
import { once } from 'node:events';
import { closedLoop } from './measure.mjs';

const body = JSON.stringify({
  title: 'Make the nightly build green again',
  priority: 'high',
  assignee: 'worker',
  labels: ['ci', 'nightly'],
});
let count = Date.now();

process.on('message', async ({ ports, connections, ms, paths }) => {
  let turn = 0;
  const next = paths ? (port) => getOf(port, paths[turn++ % paths.length]) : putOf;
  const sockets = await Promise.all(Array.from({ length: connections }, (_, n) => open(ports[n % ports.length], next)));
  const measured = await closedLoop(connections, ms, (at) => sockets[at].request());
  for (const { socket } of sockets) socket.destroy();
  process.send(measured);
});
process.on('disconnect', () => process.exit());
process.send('ready');

async function open(port, next) {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let answered, failed;
  let text = '';
  socket.setEncoding('latin1');
  socket.on('error', (error) => failed?.(error));
  socket.on('close', () => failed?.(new Error('the server closed the connection')));
  socket.on('data', (chunk) => {
    text += chunk;
    const length = lengthOf(text);
    if (length === undefined || text.length < length) return;
    const status = text.slice(9, 12);
    const whole = text;
    text = text.slice(length);
    if (status[0] === '2') answered();
    else failed(new Error(whole));
  });
  const request = () =>
    new Promise((done, fail) => {
      [answered, failed] = [done, fail];
      socket.write(next(port));
    });
  return { socket, request };
}

const getOf = (port, path) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;

function putOf(port) {
  const head = `PUT /v1/companies/bench/tasks/B-${++count} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

/** Of the whole answer, once its head is there. */
function lengthOf(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2)) ?? [];
  if (length === undefined) throw new Error(`an answer without a length: ${text}`);
  return end + 4 + Number(length);
}
