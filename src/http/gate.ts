import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Drain } from './drain.js';
import { Refusal } from './problem.js';
import { RateLimit, type Rate } from './rate-limit.js';

/** Turns requests away before anything is read of them: from other sites, too many, or too late. `host`: what the server listens on. */
export function guard(server: FastifyInstance, { host, rate, drain }: { host: string; rate: Rate; drain: Drain }): void {
  const limit = new RateLimit(rate);
  server.addHook('onRequest', (request, _reply, done) => done(refusal(request, host, limit, drain)));
  // Also of what was in flight when the end began: a connection that is kept alive would hold it up.
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (drain.signal.aborted) void reply.header('connection', 'close');
    done(null, payload);
  });
}

function refusal(request: FastifyRequest, host: string, limit: RateLimit, drain: Drain): Refusal | undefined {
  const isProbe = request.url === '/healthz' || request.url === '/readyz';
  if (!isProbe) drain.asked();
  if (!isProbe && drain.turnsAway)
    return new Refusal('shutting_down', 'this server shuts down: send the request again, to another one or to its successor');
  if (!limit.admits(request.ip))
    return new Refusal('rate_limited', `more than ${limit.rate.perSecond} requests a second came from ${request.ip}`);
  return foreignHost(request, host) ?? foreignOrigin(request);
}

/** A name that somebody else has made to point here is in the Host header of a page that was loaded under that name. */
function foreignHost({ headers }: FastifyRequest, own: string): Refusal | undefined {
  const name = hostnameOf(headers.host ?? '');
  if (name === own || name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)) return undefined;
  return new Refusal(
    'host_refused',
    `Host is ${JSON.stringify(headers.host ?? '')}: this server answers as ${own} and localhost only`,
  );
}

/** Browsers name the site of the page that asks, unless a page of this server itself reads something. */
function foreignOrigin({ headers }: FastifyRequest): Refusal | undefined {
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return undefined;
  return new Refusal('origin_refused', `Origin is ${JSON.stringify(origin)}: pages of other sites may not reach the ledger`);
}

const hostnameOf = (host: string): string => host.replace(/:\d{1,5}$/, '').toLowerCase();
