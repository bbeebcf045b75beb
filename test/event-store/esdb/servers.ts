import { ProtocolServer } from './protocol-server.js';
import { Proxy } from './proxy.js';

/** A server to test against, and what can be done to the way there. */
export interface TestedServer {
  readonly url: string;
  /** Only the server of the test tree can be told what to do wrong. */
  readonly protocol?: ProtocolServer;
  readonly proxy: Proxy;
  end(): Promise<void>;
}

type Open = () => Promise<TestedServer>;

/** A single node without TLS, `esdb://127.0.0.1:2113?tls=false`; its log need not be empty, and keeps what the tests write. */
const realUrl = process.env.EVENT_STORE_TEST_URL;

/** The server of the test tree always; a real one besides when `EVENT_STORE_TEST_URL` names it. */
export const testedServers: readonly [name: string, open: Open][] = [
  ['the protocol server', protocolServer],
  ...(realUrl ? [['a real server', () => realServer(new URL(realUrl))] as [string, Open]] : []),
];

async function protocolServer(): Promise<TestedServer> {
  const protocol = await ProtocolServer.start();
  return { url: protocol.url, protocol, proxy: protocol.proxy, end: () => protocol.end() };
}

async function realServer(url: URL): Promise<TestedServer> {
  if (url.protocol !== 'esdb:' || url.searchParams.get('tls') !== 'false')
    throw new Error(`EVENT_STORE_TEST_URL names one node without TLS, as esdb://127.0.0.1:2113?tls=false does, not ${url.href}`);
  const proxy = await Proxy.to({ host: url.hostname, port: Number(url.port || 2113) });
  url.host = `127.0.0.1:${proxy.port}`;
  return { url: url.href, proxy, end: () => proxy.refuse() };
}
