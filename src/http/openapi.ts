import type { Type } from '@nestjs/common';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { answerExamples, type AnswerName } from './answer-examples.js';
import { commandHeaders, type Documentation } from './documented.js';
import { problemExamples, problemResponses } from './openapi-problems.js';
import { fieldExamples, schemaName, schemasOf } from './openapi-schemas.js';
import { routesOf, type Route } from './routes.js';

/** OpenAPI 3.1, as far as the ledger's own has it. */
export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Schema[];
  readonly requestBody?: Schema;
  readonly responses: Readonly<Record<string, Schema>>;
}

type Schema = Readonly<Record<string, unknown>>;
interface ClassSchema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The description of the routes of these controllers, made from their classes and from `Documented`. */
export function describeRoutes(controllers: readonly Type<object>[]): OpenApi {
  const classes = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage,
    refPointerPrefix: '#/components/schemas/',
  }) as Record<string, ClassSchema>;
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of controllers.flatMap(routesOf)) (paths[route.path] ??= {})[route.method] = operationOf(route, classes);
  return { openapi: '3.1.0', info, paths, components: { parameters, schemas: schemasOf(classes), examples: problemExamples() } };
}

const info = {
  title: 'Run ledger',
  version: '1',
  description:
    'Every decision about a run is an immutable event. Commands answer with the position of what they wrote (Ledger-Position) and the ' +
    'revision of its stream (ETag); a read waits for a position (Ledger-Min-Position). Errors are problems of RFC 9457. Unknown fields ' +
    'are refused; of a key that is twice in an object, the last one counts; cursors and positions are opaque.',
};

const text = { type: 'string' };
const header = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  description,
  schema: text,
  example,
});
const parameters = {
  IdempotencyKey: header('Idempotency-Key', 'makes a repeat harmless, for 24 hours', '0192f0c1-7a3b-7c4d-8e5f-60718293a4b5'),
  IfMatch: header('If-Match', 'the ETag of what was read: another revision is refused', '"3"'),
  Actor: header('X-Actor', 'who acts: user, agent or system', 'user:alice'),
  LedgerTimestamp: header('Ledger-Timestamp', 'hmac_sha256: when it was signed, in seconds since 1970', '1775030400'),
  LedgerSignature: header(
    'Ledger-Signature',
    'hmac_sha256: sha256= and the HMAC-SHA-256 in hex of the timestamp, a dot and the body',
    'sha256=…',
  ),
  HubSignature: header('X-Hub-Signature-256', 'github_hmac: sha256= and the HMAC-SHA-256 in hex of the body', 'sha256=…'),
  Bearer: header('Authorization', 'bearer: the secret', 'Bearer …'),
  MinPosition: header('Ledger-Min-Position', 'what is read shows everything up to here', '0000000000000042'),
  LastEventId: header('Last-Event-ID', 'the id of the last message: the stream goes on behind it', '0000000000000042'),
};
const shared = (...names: readonly (keyof typeof parameters)[]) =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }));

function operationOf(route: Route, classes: Readonly<Record<string, ClassSchema>>): Operation {
  const { name, tag, summary, method, takes, query } = route;
  const isRead = method === 'get';
  const taken = fieldsOf(takes, classes);
  const asked = query ? classes[query.name] : isRead ? taken : undefined;
  const headers = isRead ? shared(isStream(route) ? 'LastEventId' : 'MinPosition') : shared(...(route.headers ?? commandHeaders));
  return {
    operationId: `${name}${tag}`,
    summary,
    tags: [tag],
    parameters: [
      ...pathParameters(route, taken),
      ...queryParameters(route, asked),
      ...(route.path.startsWith('/v1/companies') || route.headers ? headers : []),
    ],
    ...(!isRead && method !== 'delete' && takes && { requestBody: bodyOf(route, taken) }),
    ...(route.body !== undefined && { requestBody: freeBody(route.body) }),
    responses: responsesOf(route),
  };
}

/** A class that adds no field to the one that it extends has no schema of its own. */
function fieldsOf(type: Type<object> | undefined, classes: Readonly<Record<string, ClassSchema>>): ClassSchema {
  for (let next: Type<object> | null | undefined = type; next?.name; next = Object.getPrototypeOf(next) as Type<object> | null) {
    const schema = classes[next.name];
    if (schema) return schema;
  }
  return {};
}

const pathParameters = ({ parts }: Route, { properties = {} }: ClassSchema) =>
  parts.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? text, example: fieldExamples[name] }));

const queryParameters = ({ parts }: Route, { properties = {}, required = [] }: ClassSchema = {}) =>
  Object.entries(properties)
    .filter(([name]) => !parts.includes(name))
    .map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema, ...exampleOf(name) }));

const exampleOf = (name: string) => (name in fieldExamples ? { example: fieldExamples[name] } : {});

function bodyOf({ parts }: Route, { properties = {}, required = [] }: ClassSchema): Schema {
  const own = Object.entries(properties).filter(([name]) => !parts.includes(name));
  const needed = required.filter((name) => !parts.includes(name));
  const schema = { type: 'object', properties: Object.fromEntries(own), required: needed, additionalProperties: false };
  const example = Object.fromEntries(needed.map((name) => [name, fieldExamples[name] ?? null]));
  return { required: needed.length > 0, content: { 'application/json': { schema, example } } };
}

const freeBody = (description: string): Schema => ({
  content: { 'application/json': { schema: { type: 'object', description }, example: {} } },
});

function responsesOf(route: Route): Record<string, Schema> {
  const { answers, status = [200], mediaType = isStream(route) ? 'text/event-stream' : 'application/json' } = route;
  const content = { [mediaType]: answerOf(answers) };
  const good = status.map((code) => [String(code), { description: 'done', content }]);
  return { ...Object.fromEntries(good), ...problemResponses(route) };
}

/** Its example is the text that is sent, and no JSON. */
const isStream = ({ answers, mediaType }: Route): boolean =>
  mediaType === undefined && answers in answerExamples && typeof answerExamples[answers as AnswerName] === 'string';

function answerOf(answers: Documentation['answers']): Schema {
  const name = answers.replace('[]', '') as AnswerName;
  const $ref = `#/components/schemas/${schemaName(name)}`;
  if (answers === name) return { schema: { $ref }, example: answerExamples[name] };
  const properties = {
    items: { type: 'array', items: { $ref } },
    next: { ...text, description: 'cursor of the next page; absent at the end' },
  };
  return { schema: { type: 'object', required: ['items'], properties }, example: { items: [answerExamples[name]] } };
}
