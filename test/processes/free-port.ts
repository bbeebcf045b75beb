import { createServer, type AddressInfo } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on, for a server that is to be started on the same one again. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
