import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, ServerCredentials, type sendUnaryData, type StatusObject } from '@grpc/grpc-js';
import { Appends } from './appends.js';
import { gossipOf, supportedMethods } from './cluster.js';
import { answerDelete, answerTombstone } from './deletes.js';
import { Faults } from './faults.js';
import { ServerLog } from './log.js';
import { Proxy } from './proxy.js';
import { answerRead, type ReadCall } from './reads.js';
import { answerSubscription } from './subscriptions.js';

export interface ProtocolServerOptions {
  readonly port?: number;
  /** bytes of data in one append; default 1 MiB */
  readonly maxAppendSize?: number;
}

const oneMiB = 1024 * 1024;
/** More in one message and the whole call breaks. */
const maxMessageSize = 16 * oneMiB;

/**
 * Speaks the protocol of an EventStoreDB and answers as a real one was seen to (`eventstoredb-observed.test.ts` holds it to that), and
 * does wrong what a test tells it to. It keeps its log in memory: for as long as it lives, also while it is `stopped`.
 */
export class ProtocolServer {
  readonly log = new ServerLog();
  readonly faults = new Faults();
  readonly appends: Appends;
  private readonly grpc = new Server({ 'grpc.max_receive_message_length': maxMessageSize });
  private way!: Proxy;

  private constructor({ maxAppendSize = oneMiB }: ProtocolServerOptions) {
    this.appends = new Appends(this.log, this.faults, { maxAppendSize }, () => this.cut());
  }

  /** On 127.0.0.1, on a free port unless one is asked for. */
  static async start(options: ProtocolServerOptions = {}): Promise<ProtocolServer> {
    const server = new ProtocolServer(options);
    server.serve();
    server.way = await Proxy.to({ host: '127.0.0.1', port: await server.bind() }, options.port);
    return server;
  }

  /** What its clients connect to. */
  get proxy(): Proxy {
    return this.way;
  }

  get port(): number {
    return this.way.port;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** Of the cluster that this server is alone. */
  get discoverUrl(): string {
    return `esdb+discover://127.0.0.1:${this.port}?tls=false`;
  }

  /** Breaks all connections; new ones are taken. */
  cut(): void {
    this.way.cut();
  }

  /** Answers nothing from now on, and takes what comes as its kernel would: a process that was sent SIGSTOP. */
  freeze(): void {
    this.way.freeze();
  }

  thaw(): void {
    this.way.thaw();
  }

  /** Its port is closed, as after kill -9. */
  stop(): Promise<void> {
    return this.way.refuse();
  }

  /** On the same port, with everything that was written. */
  async restart(): Promise<void> {
    await this.stop();
    this.log.forget();
    await this.way.accept();
  }

  async end(): Promise<void> {
    await this.way.refuse();
    this.grpc.forceShutdown();
  }

  private serve(): void {
    const { log } = this;
    this.grpc.addService(services.StreamsService, {
      batchAppend: this.appends.batch.bind(this.appends),
      append: this.appends.single.bind(this.appends),
      read: (call: ReadCall) => void this.read(call),
      delete: unary((request) => answerDelete(log, request)),
      tombstone: unary((request) => answerTombstone(log, request)),
    });
    this.grpc.addService(features.ServerFeaturesService, { getSupportedMethods: unary(() => supportedMethods()) });
    this.grpc.addService(gossip.GossipService, { read: unary(() => gossipOf(this.port)) });
  }

  private async read(call: ReadCall): Promise<void> {
    call.on('error', () => {});
    if (call.request.getOptions()?.hasSubscription()) answerSubscription(call, this.log);
    else await answerRead(call, this.log, this.faults, () => this.cut());
  }

  private bind(): Promise<number> {
    return new Promise((done, failed) => {
      const bound = (error: Error | null, port: number) => (error ? failed(error) : done(port));
      this.grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
    });
  }
}

/** A call with one request and one answer. */
const unary =
  <Q, A extends object>(answer: (request: Q) => A | StatusObject) =>
  ({ request }: { request: Q }, send: sendUnaryData<A>): void => {
    const found = answer(request);
    if (isStatus(found)) send(found);
    else send(null, found);
  };

const isStatus = (answer: object): answer is StatusObject => 'code' in answer && 'details' in answer;
