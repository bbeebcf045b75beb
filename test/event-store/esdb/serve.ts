/**
 * The protocol server as a process of its own, for servers of the ledger in theirs. Prints its address; reads what it is told from its
 * input, a line of JSON each, and answers each with a line. Ends with its input.
 */
import { createInterface } from 'node:readline';
import { obey, type Order } from './orders.js';
import { ProtocolServer } from './protocol-server.js';

const server = await ProtocolServer.start({ port: Number(process.argv[2] ?? 0) });
console.log(JSON.stringify({ url: server.url }));
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify((await obey(server, JSON.parse(line) as Order)) ?? {}));
process.exit();
