import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { unsafeNumber } from '../commands/free-json.js';
import { malformed } from './problem.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** the body as it came */
    rawBody: Buffer | undefined;
  }
  interface FastifyContextConfig {
    /** A route whose path is a secret, and whose body is not read before its sender is known: its handler does that, by `objectOf`. */
    readonly isWebhook?: true;
  }
}

/** Bodies are JSON objects and nothing else; of a key that is there twice, the last one counts. */
export function takeJsonBodies(server: FastifyInstance): void {
  server.decorateRequest('rawBody', undefined);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, raw: Buffer, done) => {
    request.rawBody = raw;
    if (request.routeOptions.config.isWebhook) return done(null, undefined);
    try {
      done(null, objectOf(raw));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Throws a Refusal where it is no JSON object; nothing at all is an empty one. */
export function objectOf(raw: Buffer): object {
  if (raw.length === 0) return {};
  if (!isUtf8(raw)) throw malformed('body', 'the body is not UTF-8');
  const text = raw.toString();
  const body = parsed(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw malformed('body', `the body is ${kindOf(body)}: send an object, such as {"reason": "…"}`);
  // A property of this name would be lost on the way into a command, instead of being refused.
  if (Object.hasOwn(body, '__proto__')) throw malformed('__proto__', 'unknown field __proto__');
  const lost = mayLoseNumbers.test(text) ? unsafeNumber(body) : undefined;
  if (lost !== undefined) throw malformed(lost, `${lost} is a number that JavaScript cannot keep: send it as a string`);
  return body;
}

/** Only numbers that are this long, or have an exponent, need to be looked at. */
const mayLoseNumbers = /\d{16}|\d[eE]/;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('body', `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`);
