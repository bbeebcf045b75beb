import { type INestApplication, type LoggerService, type Type, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Drain } from './drain.js';
import { guard } from './gate.js';
import { takeJsonBodies } from './json-body.js';
import { malformed } from './problem.js';
import { sendProblem } from './problem.filter.js';
import type { Rate } from './rate-limit.js';
import { LiveStreams, type StreamLimits } from './stream/live-streams.js';
import { answerUnreadable, requestTimeoutMs } from './unreadable.js';

export interface Listening {
  readonly host: string;
  /** 0: a free one */
  readonly port: number;
  /** per remote address */
  readonly rate?: Rate;
  readonly streams?: Partial<StreamLimits>;
  readonly logger: LoggerService | false;
}

/** Far above what one client's work needs, and below what keeps others from being answered. */
const generous: Rate = { perSecond: 20_000, burst: 40_000 };

/** Serves a module that imports HttpModule. `app.close()` ends it, in order and in bounded time. */
export async function listen(module: Type | DynamicModule, options: Listening): Promise<{ app: INestApplication; url: string }> {
  const adapter = new FastifyAdapter({
    bodyLimit: 1024 * 1024,
    // A path that the router cannot read reaches no filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(malformed('path', `the path cannot be read: ${error.message}`), request, reply),
    clientErrorHandler: answerUnreadable,
    // Names that are too long are refused by the commands, with a sentence.
    routerOptions: { maxParamLength: 4_096 },
    requestTimeout: requestTimeoutMs,
    // Longer than any long poll.
    connectionTimeout: 120_000,
    keepAliveTimeout: 60_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    skipMiddie: true,
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    abortOnError: false,
    ...(options.logger === false ? { logger: false } : { logger: options.logger }),
  });
  takeJsonBodies(adapter.getInstance());
  guard(adapter.getInstance(), { host: options.host, rate: options.rate ?? generous, drain: app.get(Drain) });
  app.get(LiveStreams).limit(options.streams);
  await app.listen(options.port, options.host);
  return { app, url: await app.getUrl() };
}
