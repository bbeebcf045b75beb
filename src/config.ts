import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { keyBytes } from './webhooks/secret-key.js';

/** A setting that cannot be used; the message names the variable, its value and what would do. */
export class ConfigError extends Error {}

const allRoles = ['api', 'projector', 'policies', 'promoter', 'reaper', 'scheduler'] as const;
export type Role = (typeof allRoles)[number];

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What `ledger serve`, `migrate` and `doctor` run with. */
export interface ServerConfig {
  readonly host: string;
  /** 0: a free one, chosen by the system */
  readonly port: number;
  /** undefined: the embedded Postgres under `home` */
  readonly databaseUrl: string | undefined;
  /** of an EventStoreDB, with its password; undefined: events are kept in that Postgres */
  readonly eventStoreUrl: string | undefined;
  /** absolute path */
  readonly home: string;
  readonly roles: readonly Role[];
  readonly clock: 'system' | 'manual';
  readonly logLevel: LogLevel;
  readonly auth: 'off';
  /** Ed25519, private; undefined: what is sealed of the log is not signed */
  readonly auditKey: KeyObject | undefined;
  /** 32 bytes; undefined: one that is kept under `home` */
  readonly secretKey: Buffer | undefined;
}

/** What every other command runs with, against a server. */
export interface ClientConfig {
  /** without a slash at its end */
  readonly url: string;
  readonly company: string;
  readonly token: string | undefined;
  /** the agent whose command this is, when a worker runs it; its acts are that agent's and no person's */
  readonly agent: string | undefined;
  /** absolute path; here for the logs of runs and for results that could not be reported yet */
  readonly home: string;
  readonly color: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError at the first value that cannot be used. */
export function serverConfig(env: Environment = process.env): ServerConfig {
  const read = readerOf(env);
  return Object.freeze({
    host: read('HOST', loopback),
    port: read('PORT', portNumber),
    databaseUrl: read('DATABASE_URL', postgresUrl),
    eventStoreUrl: read('EVENT_STORE_URL', eventStoreUrl),
    home: read('LEDGER_HOME', (path) => resolve(path)),
    roles: read('LEDGER_ROLES', listOfRoles),
    clock: read('LEDGER_CLOCK', oneOf<'system' | 'manual'>(['system', 'manual'])),
    logLevel: read('LOG_LEVEL', oneOf(logLevels)),
    auth: read('LEDGER_AUTH', withoutAuth),
    auditKey: read('LEDGER_AUDIT_KEY', signingKey),
    secretKey: read('LEDGER_SECRET_KEY', secretKey),
  });
}

/** Throws ConfigError at the first value that cannot be used. */
export function clientConfig(env: Environment = process.env): ClientConfig {
  const read = readerOf(env);
  return Object.freeze({
    url: read('LEDGER_URL', httpUrl),
    company: read('LEDGER_COMPANY', (name) => name),
    token: read('LEDGER_TOKEN', (token) => token || undefined),
    agent: read('LEDGER_AGENT', (agent) => agent || undefined),
    home: read('LEDGER_HOME', (path) => resolve(path)),
    color: !env.NO_COLOR,
  });
}

/** For a command that a worker runs: the worker's own environment, without what is meant for the service alone. */
export function commandEnvironment(env: Environment = process.env): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !serviceOnly.includes(name)));
}

/** One line per variable: name, meaning, default. Shown by `ledger serve --help`. */
export function describeConfig(): string {
  const width = Math.max(...Object.keys(variables).map((name) => name.length));
  return Object.entries(variables)
    .map(([name, [otherwise, meaning]]) => `  ${name.padEnd(width)}  ${meaning}${otherwise && ` (default: ${otherwise})`}`)
    .join('\n');
}

/** Name: default, meaning. */
const variables = {
  PORT: ['4100', 'the port to listen on; 0 for any free one'],
  HOST: ['127.0.0.1', 'the loopback address to listen on'],
  DATABASE_URL: ['', 'postgres://… of a Postgres 14 or newer; without it, one is run under LEDGER_HOME'],
  EVENT_STORE_URL: [
    '',
    'esdb://… or esdb+discover://… of an EventStoreDB that events are kept in; without it, they are in the same Postgres',
  ],
  LEDGER_HOME: ['.ledger', "folder of the ledger's own files"],
  LEDGER_ROLES: [allRoles.join(','), 'what this process does'],
  LEDGER_CLOCK: ['system', 'system, or manual: time is what PUT /v1/clock says, for tests'],
  LOG_LEVEL: ['info', logLevels.join(', ')],
  LEDGER_AUTH: ['off', 'off: whoever reaches the port is trusted'],
  LEDGER_AUDIT_KEY: [
    '',
    'file of an Ed25519 private key (PEM) that signs what is sealed of the log; without it, nothing is signed',
  ],
  LEDGER_SECRET_KEY: [
    '',
    '32 bytes in hex or base64 that the secrets of webhooks are sealed under, the same for all servers of a database; without it, ' +
      'secret.key in LEDGER_HOME, made when it is needed',
  ],
  LEDGER_URL: ['http://127.0.0.1:4100', 'commands and workers: the server to talk to'],
  LEDGER_COMPANY: ['default', 'commands and workers: the company they are about'],
  LEDGER_TOKEN: ['', 'commands and workers: the key they show to the server; for later, no server asks for one yet'],
  LEDGER_AGENT: ['', 'commands: the agent that acts; a worker sets it for what it runs'],
} as const;

const serviceOnly = [
  'PORT',
  'HOST',
  'DATABASE_URL',
  'EVENT_STORE_URL',
  'LEDGER_ROLES',
  'LEDGER_CLOCK',
  'LEDGER_AUTH',
  'LEDGER_AUDIT_KEY',
  'LEDGER_SECRET_KEY',
  'LEDGER_TOKEN',
];

const neverShown: readonly Variable[] = ['LEDGER_SECRET_KEY', 'LEDGER_TOKEN'];

type Variable = keyof typeof variables;

/** Turns a value into what the program uses, or says what would do instead. */
type Parse<T> = (value: string, refuse: (remedy: string) => never) => T;

function readerOf(env: Environment) {
  return <T>(name: Variable, parse: Parse<T>): T => {
    const value = env[name]?.trim() || variables[name][0];
    return parse(value, (remedy) => {
      const shown = neverShown.includes(name) ? `of ${value.length} characters` : `"${withoutPassword(value)}"`;
      throw new ConfigError(`${name} is ${shown}: ${remedy}`);
    });
  };
}

/** What is between the first colon that says no protocol and the last @; a little too much is no harm. */
const withoutPassword = (value: string): string => value.replace(/:(?!\/\/).*@/s, ':***@');

const portNumber: Parse<number> = (value, refuse) => {
  const port = Number(value);
  return /^\d+$/.test(value) && port <= 65_535 ? port : refuse('give a whole number from 1 to 65535, or 0 for any free port');
};

const loopback: Parse<string> = (value, refuse) =>
  value === 'localhost' || value === '::1' || /^127(\.\d{1,3}){3}$/.test(value)
    ? value
    : refuse(
        'without authentication, whoever reaches the port may do everything, so the ledger listens on loopback only: ' +
          'give 127.0.0.1, ::1 or localhost, and put a proxy that authenticates in front to serve others',
      );

const postgresUrl: Parse<string | undefined> = (value, refuse) => {
  if (value === '') return undefined;
  const remedy = 'give postgres://user:password@host:port/database, or nothing for the embedded Postgres';
  return /^postgres(ql)?:$/.test(parsedUrl(value)?.protocol ?? '') ? value : refuse(remedy);
};

const eventStoreUrl: Parse<string | undefined> = (value, refuse) => {
  if (value === '' || connectionString.test(value)) return value || undefined;
  const remedy = 'give esdb://user:password@host:2113, esdb+discover:// and a host of a cluster, or nothing';
  return refuse(`${remedy} to keep the events in the Postgres of DATABASE_URL`);
};

/** What is special in a name or a password is percent-encoded. */
const word = '[^\\s:@/?#,]+';
const host = `${word}(:\\d{1,5})?`;
const connectionString = new RegExp(`^esdb(\\+discover)?://(${word}:${word}@)?${host}(,${host})*/?(\\?[^\\s#]*)?$`);

const listOfRoles: Parse<readonly Role[]> = (value, refuse) => {
  const names = value.split(',').map((name) => name.trim());
  const wanted = allRoles.filter((role) => names.includes(role));
  return wanted.length === new Set(names).size ? Object.freeze(wanted) : refuse(`give some of ${allRoles.join(',')}`);
};

const withoutAuth: Parse<'off'> = (value, refuse) => (value === 'off' ? value : refuse('only "off" is supported yet'));

const signingKey: Parse<KeyObject | undefined> = (path, refuse) => {
  if (path === '') return undefined;
  const make = 'make one with openssl genpkey -algorithm ed25519';
  const key = keyIn(path, (why) =>
    refuse(`${why}: give the file of an Ed25519 private key without a pass phrase, in PEM; ${make}`),
  );
  return key.asymmetricKeyType === 'ed25519' ? key : refuse(`the key in it is of the kind ${key.asymmetricKeyType}: ${make}`);
};

const secretKey: Parse<Buffer | undefined> = (value, refuse) =>
  value === '' ? undefined : (keyBytes(value) ?? refuse('give 32 bytes in hex or base64; make them with openssl rand -hex 32'));

function keyIn(path: string, refuse: (why: string) => never): KeyObject {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(`it cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return refuse('there is no private key in it that can be used');
  }
}

const httpUrl: Parse<string> = (value, refuse) =>
  /^https?:$/.test(parsedUrl(value)?.protocol ?? '')
    ? value.replace(/\/+$/, '')
    : refuse('give the address of a running ledger, such as http://127.0.0.1:4100');

function oneOf<T extends string>(choices: readonly T[]): Parse<T> {
  return (value, refuse) => choices.find((choice) => choice === value) ?? refuse(`give one of ${choices.join(', ')}`);
}

function parsedUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}
