import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { malformed } from './problem.js';

export type Query = Readonly<Record<string, string | string[]>>;
export type Request = FastifyRequest<{ Params: Readonly<Record<string, string>>; Querystring: Query }>;
export type Reply = FastifyReply;
/** What of a request says where it went. */
export type Addressed = Pick<FastifyRequest, 'url' | 'routeOptions'>;

/** How a problem names what was asked: by its path, unless that is a secret. */
export const instanceOf = ({ url, routeOptions }: Addressed): string =>
  routeOptions?.config?.isWebhook ? (routeOptions.url ?? '') : url;

/** One request and its answer, as controllers hand them to what carries them out. */
export class Exchange {
  constructor(
    readonly request: Request,
    readonly reply: Reply,
  ) {}

  /** without the query */
  get path(): string {
    const { url } = this.request;
    const end = url.indexOf('?');
    return end < 0 ? url : url.slice(0, end);
  }

  get body(): Readonly<Record<string, unknown>> {
    return (this.request.body as Record<string, unknown> | undefined) ?? {};
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The fields of a command: what the path names, and `body`, which may not name it again. */
  fields(body: Readonly<Record<string, unknown>> = this.body): Record<string, unknown> {
    const { params } = this.request;
    for (const name in params) if (Object.hasOwn(body, name)) throw malformed(name, `unknown field ${name}: the path names it`);
    return { ...body, ...params };
  }
}

/** The exchange, as a parameter of a controller's method. */
export const Call = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const http = context.switchToHttp();
  return new Exchange(http.getRequest<Request>(), http.getResponse<Reply>());
});
