import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clientConfig, commandEnvironment, ConfigError, describeConfig, serverConfig } from '../src/config.js';
import { storeAt } from '../src/open-store.js';

describe('the configuration of a server', () => {
  it('needs no variable at all', () => {
    expect(serverConfig({})).toEqual({
      host: '127.0.0.1',
      port: 4100,
      databaseUrl: undefined,
      home: resolve('.ledger'),
      roles: ['api', 'projector', 'policies', 'promoter', 'reaper', 'scheduler'],
      clock: 'system',
      logLevel: 'info',
      auth: 'off',
    });
  });

  it('takes an empty variable for an absent one', () => {
    expect(serverConfig({ PORT: '', LEDGER_ROLES: ' ', DATABASE_URL: '' })).toEqual(serverConfig({}));
  });

  it('cannot be changed after it was read', () => {
    const config = serverConfig({});
    expect(Object.isFrozen(config) && Object.isFrozen(config.roles)).toBe(true);
  });

  it('reads every variable', () => {
    const env = {
      PORT: '5200',
      HOST: '::1',
      DATABASE_URL: 'postgres://ada:secret@db.example:5432/ledger',
      LEDGER_HOME: '/srv/ledger',
      LEDGER_ROLES: 'promoter, api',
      LEDGER_CLOCK: 'manual',
      LOG_LEVEL: 'debug',
      LEDGER_AUTH: 'off',
    };
    expect(serverConfig(env)).toEqual({
      host: '::1',
      port: 5200,
      databaseUrl: 'postgres://ada:secret@db.example:5432/ledger',
      home: '/srv/ledger',
      roles: ['api', 'promoter'],
      clock: 'manual',
      logLevel: 'debug',
      auth: 'off',
    });
  });

  it.each([
    ['PORT', 'http', 'give a whole number from 1 to 65535'],
    ['PORT', '65536', 'give a whole number from 1 to 65535'],
    ['PORT', '-1', 'give a whole number from 1 to 65535'],
    ['HOST', '0.0.0.0', 'whoever reaches the port may do everything'],
    ['HOST', '127.0.0.1.example.com', 'give 127.0.0.1, ::1 or localhost'],
    ['DATABASE_URL', 'mysql://localhost/ledger', 'give postgres://'],
    ['DATABASE_URL', 'localhost:5432', 'give postgres://'],
    ['EVENT_STORE_URL', 'postgres://localhost/events', 'give esdb://user:password@host:2113, esdb+discover://'],
    ['EVENT_STORE_URL', 'kurrentdb://localhost:2113', 'give esdb://'],
    ['EVENT_STORE_URL', 'esdb://', 'give esdb://'],
    ['EVENT_STORE_URL', 'esdb://localhost:port', 'give esdb://'],
    ['EVENT_STORE_URL', 'esdb://ada@localhost', 'give esdb://'],
    ['EVENT_STORE_URL', 'localhost:2113', 'or nothing to keep the events in the Postgres of DATABASE_URL'],
    ['LEDGER_ROLES', 'api,janitor', 'give some of api,projector,policies,promoter,reaper,scheduler'],
    ['LEDGER_CLOCK', 'sundial', 'give one of system, manual'],
    ['LOG_LEVEL', 'loud', 'give one of silent, fatal'],
    ['LEDGER_AUTH', 'keys', 'only "off" is supported yet'],
  ])('refuses %s=%s and says what would do', (name, value, remedy) => {
    const reading = () => serverConfig({ [name]: value });
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(`${name} is "${value}": `);
    expect(reading).toThrow(remedy);
  });

  it.each([
    ['DATABASE_URL', 'mysql://ada:secret@db/ledger', 'mysql://ada:***@db/ledger'],
    ['EVENT_STORE_URL', 'esbd://ada:secret@db:2113', 'esbd://ada:***@db:2113'],
    ['EVENT_STORE_URL', 'esdb://ada:sec:re/t@@db:2113', 'esdb://ada:***@db:2113'],
    ['EVENT_STORE_URL', 'esdb:ada:secret@db:2113', 'esdb:***@db:2113'],
    ['EVENT_STORE_URL', 'ada:secret@db', 'ada:***@db'],
  ])('keeps the password of a refused %s to itself: %s', (name, value, shown) => {
    expect(() => serverConfig({ [name]: value })).toThrow(`${name} is "${shown}"`);
  });

  it.each([
    'esdb://localhost:2113?tls=false',
    'esdb://localhost',
    'esdb+discover://cluster.example:2113?nodePreference=leader',
    'esdb://ada:s%2Fecret@one:2113,two:2113,three/?tlsCAFile=/etc/ca.pem&keepAliveInterval=10000',
  ])('takes %s for an EventStoreDB', (url) => {
    expect(serverConfig({ EVENT_STORE_URL: url })).toMatchObject({ eventStoreUrl: url });
  });
});

describe('the address of an EventStoreDB', () => {
  it.each([
    ['tsl=false', 'has a setting tsl, which there is not; there are tls, tlsCAFile'],
    ['keepAliveInterval=often', 'expected Integer'],
    ['nodePreference=follower', 'leave nodePreference out'],
  ])('is refused before anything is started where it cannot be used, without its password: %s', async (setting, why) => {
    const opening = storeAt(`esdb://ada:secret@localhost:2113?${setting}`);
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(why);
    await expect(opening).rejects.not.toThrow('secret');
  });
});

describe('the key that signs what is sealed of the log', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'keys-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const written = (pem: string | Buffer): string => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, pem);
    return file;
  };
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });

  it('is read from its file', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(serverConfig({ LEDGER_AUDIT_KEY: written(pem(privateKey)) }).auditKey?.equals(privateKey)).toBe(true);
  });

  it.each([
    ['that is not there', () => join(folder, 'none.pem'), 'it cannot be read'],
    ['without a key', () => written('no key'), 'there is no private key in it that can be used'],
    [
      'with half of a key',
      () =>
        written(
          generateKeyPairSync('ed25519', {
            publicKeyEncoding: { type: 'spki', format: 'pem' },
            privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
          }).publicKey,
        ),
      'there is no private key in it',
    ],
    [
      'with a key of another kind',
      () => written(pem(generateKeyPairSync('x25519').privateKey)),
      'the key in it is of the kind x25519',
    ],
  ])('is not read from a file %s', (_, file, why) => {
    const reading = () => serverConfig({ LEDGER_AUDIT_KEY: file() });
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(`LEDGER_AUDIT_KEY is "${file()}": ${why}`);
    expect(reading).toThrow('openssl genpkey -algorithm ed25519');
  });
});

describe('the key to the secrets', () => {
  const key = Buffer.alloc(32, 0xab);

  it.each(['hex', 'base64', 'base64url'] as const)('is 32 bytes in %s', (encoding) =>
    expect(serverConfig({ LEDGER_SECRET_KEY: key.toString(encoding) }).secretKey).toEqual(key),
  );

  it('is not shown when it cannot be used', () => {
    const reading = () => serverConfig({ LEDGER_SECRET_KEY: 'pass phrase' });
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(/^LEDGER_SECRET_KEY is of 11 characters: give 32 bytes in hex or base64.*openssl rand -hex 32$/);
  });
});

describe('the configuration of a command', () => {
  it('talks to a local server about the default company', () => {
    expect(clientConfig({})).toEqual({
      url: 'http://127.0.0.1:4100',
      company: 'default',
      token: undefined,
      agent: undefined,
      home: resolve('.ledger'),
      color: true,
    });
  });

  it('reads every variable', () => {
    const env = {
      LEDGER_URL: 'https://ledger.example/',
      LEDGER_COMPANY: 'acme',
      LEDGER_TOKEN: 'k1',
      LEDGER_AGENT: 'coder',
      LEDGER_HOME: '/srv/l',
      NO_COLOR: '1',
    };
    expect(clientConfig(env)).toEqual({
      url: 'https://ledger.example',
      company: 'acme',
      token: 'k1',
      agent: 'coder',
      home: '/srv/l',
      color: false,
    });
  });

  it('refuses an address that is not one of a web server', () => {
    expect(() => clientConfig({ LEDGER_URL: 'localhost:4100' })).toThrow(
      'LEDGER_URL is "localhost:4100": give the address of a running ledger',
    );
  });
});

it('hands a command the environment without the secrets and settings of the service', () => {
  const env = {
    PATH: '/bin',
    LEDGER_URL: 'http://127.0.0.1:4100',
    DATABASE_URL: 'postgres://x',
    LEDGER_TOKEN: 'k1',
    LEDGER_ROLES: 'api',
    LEDGER_AUDIT_KEY: '/srv/key.pem',
    LEDGER_SECRET_KEY: 'ab'.repeat(32),
  };
  expect(commandEnvironment(env)).toEqual({ PATH: '/bin', LEDGER_URL: 'http://127.0.0.1:4100' });
});

it('says of what does nothing yet that it is for later', () => {
  expect(describeConfig()).toMatch(/LEDGER_TOKEN .*for later/);
});

it('describes every variable that it reads', () => {
  const read = new Set<string>();
  const recording = new Proxy<Record<string, string>>({}, { get: (_, name) => void read.add(String(name)) });
  serverConfig(recording);
  clientConfig(recording);
  read.delete('NO_COLOR');
  expect(
    describeConfig()
      .match(/^ {2}[A-Z_]+/gm)
      ?.map((name) => name.trim())
      .sort(),
  ).toEqual([...read].sort());
});
