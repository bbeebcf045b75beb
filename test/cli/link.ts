import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A wire to a server that a test can cut. */
export interface Link {
  readonly url: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

export async function startLink(to: string): Promise<Link> {
  const { hostname: host, port } = new URL(to);
  const sockets = new Set<Socket>();
  const join = (from: Socket) => {
    const onward = connect(Number(port), host);
    from.pipe(onward).pipe(from);
    for (const socket of [from, onward]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => [from, onward].forEach((end) => end.destroy()));
    }
  };
  let server: Server | undefined;
  const listen = async (at: number): Promise<number> => {
    server = createServer(join).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}`,
    cut: async () => {
      server?.close();
      server = undefined;
      sockets.forEach((socket) => socket.destroy());
      sockets.clear();
    },
    mend: async () => void (await listen(own)),
  };
}
