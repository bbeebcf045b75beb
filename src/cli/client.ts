import { randomUUID } from 'node:crypto';
import type { Sendable } from '../commands/decider.js';
import { Problem, Unanswered, type ProblemBody } from './problem.js';

export interface ClientOptions {
  /** without a slash at its end */
  readonly url: string;
  readonly company: string;
  readonly token: string | undefined;
  /** `user:alice`: who acts, where the server has no authentication */
  readonly actor: string;
}

/** Segments below the company's path, or a path from the root. */
export type At = readonly string[] | `/${string}`;
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface SendOptions {
  /** makes a repeat harmless; a random one by default, null for what may be repeated anyway */
  readonly key?: string | null;
  readonly ifMatch?: string;
  readonly query?: Query;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface StreamOptions {
  readonly lastEventId?: string;
  readonly signal: AbortSignal;
  readonly silenceMs: number;
}

export interface Answer<T> {
  readonly body: T;
  /** what a read must have reached to show what this command did */
  readonly position: string | undefined;
  readonly etag: string | undefined;
}

/** What a command is answered with, as the decision itself says: `AnswerOf<typeof retryNow>`. */
export type AnswerOf<D> = D extends Sendable<infer _C, infer A> ? A : never;

/** A ledger over HTTP. Throws Problem when it answers with one, Unanswered when it does not answer. */
export class Client {
  constructor(readonly options: ClientOptions) {}

  async get<T>(at: At, query: Query = {}, { minPosition }: { minPosition?: string } = {}): Promise<T> {
    return (await this.read<T>(at, query, { minPosition })).body;
  }

  read<T>(
    at: At,
    query: Query = {},
    { minPosition, timeoutMs }: { minPosition?: string; timeoutMs?: number } = {},
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = minPosition ? { 'ledger-min-position': minPosition } : {};
    return this.request<T>('GET', at, { query, headers, timeoutMs });
  }

  post<T>(at: At, body: object = {}, options: SendOptions = {}): Promise<Answer<T>> {
    return this.send<T>('POST', at, body, options);
  }

  put<T>(at: At, body: object, options: SendOptions = {}): Promise<Answer<T>> {
    return this.send<T>('PUT', at, body, options);
  }

  delete<T>(at: At, { key = randomUUID() }: Pick<SendOptions, 'key'> = {}): Promise<Answer<T>> {
    return this.request<T>('DELETE', at, { headers: key ? { 'idempotency-key': key } : {} });
  }

  /** The text of an answer that has no end of its own, as it comes; `silenceMs` without any is a lost connection. */
  async *stream(at: At, query: Query, { lastEventId, signal, silenceMs }: StreamOptions): AsyncGenerator<string> {
    const headers = { accept: 'text/event-stream', ...this.identity(), ...(lastEventId && { 'last-event-id': lastEventId }) };
    yield* this.texts(this.address(at, query), { headers, signal }, silenceMs);
  }

  /** What an answer that takes its time says line by line, each of them JSON. */
  async *lines<T>(at: At, body: object): AsyncGenerator<T> {
    const headers = { accept: 'application/x-ndjson', 'content-type': 'application/json', ...this.identity() };
    let rest = '';
    for await (const text of this.texts(this.address(at), { method: 'POST', headers, body: JSON.stringify(body) }, 60_000)) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      // The routes of api.md answer what it says of them; nothing is checked twice.
      for (const line of lines) yield JSON.parse(line) as T;
    }
  }

  private async *texts(address: string, request: RequestInit, silenceMs: number): AsyncGenerator<string> {
    const { signal } = request;
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error(`silent for ${silenceMs / 1_000} s`)), silenceMs);
    try {
      const response = await fetch(address, {
        ...request,
        signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      });
      if (!response.ok) await answerOf(response);
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        timer.refresh();
        yield text;
      }
    } catch (error) {
      throw error instanceof Problem ? error : this.unanswered(error, silenceMs);
    } finally {
      clearTimeout(timer);
    }
  }

  private send<T>(
    method: string,
    at: At,
    body: object,
    { key = randomUUID(), ifMatch, ...rest }: SendOptions,
  ): Promise<Answer<T>> {
    const headers = {
      'content-type': 'application/json',
      ...(key && { 'idempotency-key': key }),
      ...(ifMatch && { 'if-match': ifMatch }),
    };
    return this.request<T>(method, at, { ...rest, headers, body: JSON.stringify(body) });
  }

  private async request<T>(
    method: string,
    at: At,
    { query, headers, body, timeoutMs = 30_000, signal }: Request,
  ): Promise<Answer<T>> {
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(this.address(at, query), {
        method,
        headers: { accept: 'application/json', ...this.identity(), ...headers },
        body,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      return await answerOf<T>(response);
    } catch (error) {
      throw error instanceof Problem ? error : this.unanswered(error, timeoutMs);
    }
  }

  private address(at: At, query: Query = {}): string {
    const { url, company } = this.options;
    const path = typeof at === 'string' ? at : `/v1/companies/${[company, ...at].map(encodeURIComponent).join('/')}`;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) search.append(name, String(one));
    }
    return search.size > 0 ? `${url}${path}?${search.toString()}` : `${url}${path}`;
  }

  private identity(): Record<string, string> {
    const { actor, token } = this.options;
    return { 'x-actor': actor, ...(token && { authorization: `Bearer ${token}` }) };
  }

  private unanswered(error: unknown, timeoutMs: number): Unanswered {
    const { url } = this.options;
    const code = codeOf(error);
    if (code === 'ECONNREFUSED') {
      return new Unanswered(`no ledger answers at ${url}: start one with npm start, or set LEDGER_URL`, true, { cause: error });
    }
    const why =
      isThrown(error) && error.name === 'TimeoutError' ? `no answer within ${timeoutMs / 1_000} s` : (code ?? String(error));
    return new Unanswered(`the ledger at ${url} did not answer (${why}): try again`, code === 'ENOTFOUND', { cause: error });
  }
}

interface Request {
  readonly query?: Query;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const body = parsed(text);
  if (!response.ok) throw new Problem(response.status, problemBody(body, text), retryAfterMs(response));
  const header = (name: string) => response.headers.get(name) ?? undefined;
  // The routes of api.md answer what it says of them; nothing is checked twice.
  return { body: body as T, position: header('ledger-position'), etag: header('etag') };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const problemBody = (body: unknown, text: string): ProblemBody =>
  typeof body === 'object' && body !== null ? body : { detail: text.slice(0, 500) || undefined };

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

/** Node puts the system's code into the cause, and into the causes of that when it tried several addresses. */
function codeOf(error: unknown): string | undefined {
  if (!isThrown(error)) return undefined;
  if (Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return typeof error.code === 'string' && error.code !== '' ? error.code : codeOf(error.cause);
}

/** What fetch throws is not always an instance of this realm's Error. */
const isThrown = (error: unknown): error is { name?: unknown; code?: unknown; cause?: unknown; errors?: unknown } =>
  typeof error === 'object' && error !== null;
