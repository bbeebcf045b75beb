import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** A way to a server that can be cut, closed and frozen, whatever the server is. */
export class Proxy {
  private readonly links = new Set<Link>();
  private server: Server | undefined;
  private frozen = false;

  private constructor(
    private readonly target: Address,
    public port: number,
  ) {}

  /** On a free port, or the one that is asked for; the same one for all of its life. */
  static async to(target: Address, port = 0): Promise<Proxy> {
    const proxy = new Proxy(target, port);
    await proxy.accept();
    return proxy;
  }

  /** Breaks the connections that there are. */
  cut(): void {
    for (const link of this.links) link.break();
  }

  /** As if nobody listened: breaks what there is and takes nothing new. */
  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    this.cut();
    await closed;
  }

  async accept(): Promise<void> {
    if (this.server) return;
    this.server = createServer({ noDelay: true }, (socket) => this.link(socket)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Takes connections and what they send, and hands nothing on: what a stopped process looks like. */
  freeze(): void {
    this.frozen = true;
    for (const link of this.links) link.pause();
  }

  thaw(): void {
    this.frozen = false;
    for (const link of this.links) link.resume();
  }

  private link(from: Socket): void {
    const link = new Link(from, connect({ ...this.target, noDelay: true }), () => this.links.delete(link));
    this.links.add(link);
    if (this.frozen) link.pause();
  }
}

/** Two sockets, each handing what it gets to the other. */
class Link {
  private paused = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    ended: () => void,
  ) {
    this.hand(from, to);
    this.hand(to, from);
    from.on('close', ended);
  }

  break(): void {
    this.from.resetAndDestroy();
    this.to.resetAndDestroy();
  }

  pause(): void {
    this.paused = true;
    this.from.pause();
    this.to.pause();
  }

  resume(): void {
    this.paused = false;
    this.from.resume();
    this.to.resume();
  }

  private hand(source: Socket, sink: Socket): void {
    source.on('data', (bytes) => {
      if (!sink.write(bytes)) source.pause();
    });
    sink.on('drain', () => this.paused || source.resume());
    source.on('end', () => sink.end());
    source.on('error', () => sink.destroy());
    source.on('close', () => sink.destroy());
  }
}
