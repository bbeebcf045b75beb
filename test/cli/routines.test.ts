import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type TestServer } from '../server.js';
import { until } from '../projections/until.js';
import { commandLine } from './command-line.js';

let server: TestServer;
const home = mkdtempSync(join(tmpdir(), 'routines-'));

beforeAll(async () => {
  server = await startServer();
  process.env.LEDGER_URL = server.url;
  process.env.LEDGER_COMPANY = 'acme';
  await server.api('PUT', 'agents/coder', {});
});
afterAll(async () => {
  delete process.env.LEDGER_URL;
  delete process.env.LEDGER_COMPANY;
  rmSync(home, { recursive: true });
  await server.stop();
});

const { said, ledger } = commandLine();
const told = () => JSON.parse(said.out);
const cron = (expression: string) => ['--cron', expression];
const file = (name: string, content: object) => {
  const path = join(home, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

describe('ledger routines set', () => {
  it('defines a routine, and changes only what is given of it', async () => {
    expect(
      await ledger(
        'routines set nightly',
        ['--title', 'Build {{branch}}'],
        '--agent coder -o table',
        cron('30 2 * * *'),
        '--zone Europe/Berlin --variable branch:text=main --ignore delivery.id at --spread 5m --priority high --catch-up enqueue_missed_with_cap',
      ),
    ).toBe(0);
    expect(said).toEqual({ out: 'nightly is defined\n', err: '' });
    expect(await ledger('routines set nightly -o table --concurrency always_enqueue')).toBe(0);
    expect(said.out).toBe('nightly is changed\n');
    expect(await ledger('routines get nightly')).toBe(0);
    expect(told()).toMatchObject({
      title: 'Build {{branch}}',
      agent: 'coder',
      priority: 'high',
      concurrency: 'always_enqueue',
      catchUp: 'enqueue_missed_with_cap',
      variables: [{ name: 'branch', type: 'text', default: 'main', required: false }],
      fingerprintIgnore: ['delivery.id', 'at'],
      spreadSec: 300,
      triggers: [{ id: 'schedule', cron: '30 2 * * *', zone: 'Europe/Berlin', dst: { gap: 'shift', overlap: 'once' } }],
    });
    const { revision, fires } = told();
    expect(await ledger('routines set nightly --priority high')).toBe(0);
    expect(told()).toMatchObject({ revision });
    expect(fires).toBe(0);
  });

  it('says that one is paused, and how it goes on once it has what it lacked', async () => {
    expect(await ledger('routines set orphan --title Build -o table')).toBe(0);
    expect(said.out).toMatch(/^orphan is defined, and paused: it .* agent\n$/);
    expect(await ledger('routines set orphan --agent coder -o table')).toBe(0);
    expect(said.out).toMatch(
      /^orphan is changed, and still paused \(it .* agent\): ledger routines resume orphan lets it go on\n$/,
    );
    expect(await ledger('routines archive orphan')).toBe(0);
  });

  it('adds, changes, switches and removes triggers one by one', async () => {
    const triggers = () =>
      told().triggers.map(({ id, kind, enabled }: { id: string; kind: string; enabled: boolean }) => `${id} ${kind} ${enabled}`);
    await ledger('routines set changing --title Change --agent coder --api');
    expect(await ledger('routines set changing', cron('@hourly'), '--dst-gap skip')).toBe(0);
    expect(triggers()).toEqual(['api api true', 'schedule schedule true']);
    expect(told().triggers[1]).toMatchObject({ cron: '@hourly', zone: 'UTC', dst: { gap: 'skip' } });
    expect(await ledger('routines set changing --zone Asia/Tokyo --disable api')).toBe(0);
    expect(triggers()).toEqual(['api api false', 'schedule schedule true']);
    expect(told().triggers[1]).toMatchObject({ cron: '@hourly', zone: 'Asia/Tokyo', dst: { gap: 'skip' } });
    expect(await ledger('routines set changing --no-cron --enable api')).toBe(0);
    expect(triggers()).toEqual(['api api true']);
    expect(await ledger('routines set changing --no-api')).toBe(0);
    expect(triggers()).toEqual([]);
  });

  it('lets the clocks follow a new cron expression, unless it was told how', async () => {
    const dst = () => told().triggers[0].dst;
    await ledger('routines set minutely --title Often --agent coder', cron('* * * * *'));
    const ofMinutes = dst();
    await ledger('routines set minutely', cron('0 9 * * *'));
    expect(dst()).not.toEqual(ofMinutes);
    await ledger('routines set minutely --dst-gap skip');
    await ledger('routines set minutely', cron('0 10 * * *'));
    expect(dst()).toEqual({ gap: 'skip', overlap: 'once' });
  });

  it('takes a whole definition from a file, and what get has written as well', async () => {
    const triggers = [
      { id: 'button', kind: 'api' },
      { id: 'morning', kind: 'schedule', cron: '0 9 * * *' },
    ];
    const definition = { title: 'Filed', agent: 'coder', triggers };
    expect(await ledger(`routines set filed --file ${file('filed.json', definition)}`)).toBe(0);
    await ledger('routines get filed');
    expect(told()).toMatchObject(definition);
    const written = { ...told(), title: 'Filed again' };
    expect(await ledger(`routines set filed --file ${file('written.json', written)} -o table`)).toBe(0);
    expect(said.out).toBe('filed is changed\n');
    expect(await ledger(`routines set filed --file ${file('wrong.json', { ...definition, titel: 'x' })}`)).toBe(2);
    expect(said.err).toContain('unknown field titel');
    expect(await ledger(`routines set filed --title x --file ${file('filed.json', definition)}`)).toBe(2);
    expect(said.err).toContain('--file is the whole definition');
    expect(await ledger(`routines set filed --file ${join(home, 'none.json')}`)).toBe(2);
    expect(said.err).toContain('cannot be read as JSON');
  });

  it('shows where a new webhook is called and its secret, once, and an example that works', async () => {
    await ledger('routines set hooked --title Hook --agent coder --webhook hmac_sha256 --window 60s -o table');
    expect(said.out).toMatch(/^hooked is defined\nwebhook is called at {2}http\S+\/v1\/hooks\/\S+\nwith the secret {2}\S+\n$/);
    const [, url, secret] = /called at {2}(\S+)\nwith the secret {2}(\S+)/.exec(said.out) ?? [];
    expect(said.err.split('\n')).toEqual([
      'URL and secret are shown this once: keep them. Called, for example, by',
      `  body='{}'; now=$(date +%s)`,
      `  curl -s ${url} \\`,
      `    -H 'content-type: application/json' \\`,
      `    -H "ledger-timestamp: $now" \\`,
      `    -H "ledger-signature: sha256=$(printf %s "$now.$body" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d ' ' -f 1)" \\`,
      '    -d "$body"',
      '',
    ]);
    expect(said.err).not.toContain(secret);
    const body = JSON.stringify({ variables: {} });
    const now = String(Math.floor(Date.now() / 1_000));
    const signature = createHmac('sha256', secret!).update(`${now}.${body}`).digest('hex');
    const headers = { 'content-type': 'application/json', 'ledger-timestamp': now, 'ledger-signature': `sha256=${signature}` };
    expect((await fetch(url!, { method: 'POST', body, headers })).status).toBe(202);
    expect((await fetch(url!, { method: 'POST', body, headers })).status).toBe(409);
    await ledger('routines get hooked');
    expect(told().triggers).toMatchObject([{ id: 'webhook', signing: 'hmac_sha256', windowSec: 60 }]);
    await ledger('routines get hooked -o table');
    expect(said.out).toMatch(/^trigger webhook +webhook by hmac_sha256, at most 1m old$/m);
    await ledger('routines set hooked --title Hooked -o table');
    expect(said).toEqual({ out: 'hooked is changed\n', err: '' });
  });

  it.each([
    ['routines set new --agent coder', 'give --title to define it'],
    ['routines set new --title x --zone UTC', 'give --cron, too'],
    ['routines set new --title x --window 60s', 'give --webhook, too'],
    ['routines set new --title x --disable bell', 'there is no trigger bell: it has none'],
    ['routines set new --title x --webhook rsa', 'give bearer, hmac_sha256, github_hmac, none'],
    ['routines set new --title x --variable branch', 'give its name and type'],
    ['routines set new --title x --variable branch:word', '"word" is no type'],
    ['routines set new --title x --agent coder --cron @fortnightly', '@fortnightly'],
    ['routines set new --title x --agent coder --cron @daily --zone Europe/Berln', 'Europe/Berlin'],
    ['routines set new --title {{x}} --agent coder', '{{x}}'],
  ])('%s ends with 2 and says why', async (line, words) => {
    expect(await ledger(line)).toBe(2);
    expect(said.err).toContain(words);
    expect(said.out).toBe('');
  });
});

describe('ledger routines', () => {
  it('lists, pauses, resumes and archives, and takes the beginning of a name', async () => {
    await ledger('routines set steered --title Steer --agent coder', cron('0 9 * * *'), '--api');
    expect(await ledger('routines pause steer --reason freeze -o table')).toBe(0);
    expect(said.out).toBe('steered is paused\n');
    expect(await ledger('routines list --status paused -o table')).toBe(0);
    expect(said.out).toMatch(
      /^ROUTINE +STATUS +AGENT +FIRED BY +NEXT +LAST FIRE +TITLE\nsteered +paused +coder +0 9 \* \* \*, api +(\S+ )?09:00:00, in \S+ +Steer\n$/,
    );
    expect(await ledger('routines get steered -o table')).toBe(0);
    expect(said.out).toMatch(/status +paused since \S+: freeze\n/);
    expect(said.out).toContain('0 9 * * * in UTC');
    expect(await ledger('routines resume steered -o table')).toBe(0);
    expect(said.out).toBe('steered is active\n');
    expect(await ledger('routines archive steered --reason over -o table')).toBe(0);
    expect(said.out).toBe('steered is archived\n');
    expect(await ledger('routines fire steered')).toBe(5);
    expect(said.err).toContain('archived');
    expect(await ledger('routines get nowhere')).toBe(3);
  });

  it('fires, says what came of it, and shows the fires', async () => {
    await ledger(
      'routines set build',
      ['--title', 'Build {{branch}}'],
      '--agent coder --api --variable branch:text! build:number=1',
    );
    const payload = file('payload.json', { delivery: 7 });
    expect(await ledger(`routines fire build --var branch=main --payload ${payload} -o table`)).toBe(0);
    expect(said.out).toBe('build@1 has opened build~1, build~1.1 is queued\n');
    expect(await ledger('routines fire build --trigger api --var branch=main --payload {"delivery":7} -o table')).toBe(0);
    expect(said.out).toBe('build@2 has joined build~1, which build@1 opened\n');
    await ledger('routines pause build --reason freeze');
    expect(await ledger('routines fire build --trigger api --var branch=main')).toBe(5);
    expect(said.err).toContain('freeze');
    await until('the fire that was refused', async () => (await ledger('routines fires build build@3')) === 0);
    expect(await ledger('routines fires build -o table')).toBe(0);
    expect(said.out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['FIRE', 'FIRED', 'BY', 'OUTCOME', 'CODE', 'TASK', 'RUN', 'SLOT', 'CONCLUDED'],
      ['build@3', expect.any(String), 'api', 'suppressed', 'routine_paused'],
      ['build@2', expect.any(String), 'api', 'coalesced', 'build~1', 'build~1.1'],
      ['build@1', expect.any(String), 'manual', 'created', 'build~1', 'build~1.1'],
      [''],
    ]);
    expect(await ledger('routines fires build --outcome suppressed')).toBe(0);
    expect(told().items).toMatchObject([{ id: 'build@3', code: 'routine_paused' }]);
    expect(await ledger('routines fires build 3 -o table')).toBe(0);
    expect(said.out).toMatch(/reason +build is paused since .*: freeze\n/);
    expect(await ledger('routines fires build 9')).toBe(3);
  });

  it('answers a fire under the same key as the first time', async () => {
    await ledger('routines set keyed --title Keyed --agent coder --concurrency always_enqueue');
    for (let n = 0; n < 2; n++) {
      expect(await ledger('routines fire keyed --key tuesday')).toBe(0);
      expect(told().id).toBe('keyed@1');
    }
  });

  it('previews without firing, and says all that is missing', async () => {
    await ledger(
      'routines set tried',
      ['--title', 'Build {{branch}} of {{date}}'],
      '--agent coder --variable branch:text! stage:test|live!',
    );
    expect(await ledger('routines preview tried --var branch=main --var stage=test -o table')).toBe(0);
    expect(said.out).toMatch(/title +Build main of \d{4}-\d\d-\d\d\nbranch +"main"\nstage +"test"\nfingerprint +[0-9a-f]{64}\n/);
    expect(await ledger('routines preview tried')).toBe(2);
    expect(said.err).toContain('branch, stage are missing');
    expect(await ledger('routines preview tried --var branch=main --var stage=moon')).toBe(2);
    expect(said.err).toContain('test, live');
    expect(await ledger('routines fires tried')).toBe(0);
    expect(told().items).toEqual([]);
  });

  it('shows when a schedule is due, with what a change of the clocks does to that', async () => {
    await ledger('routines set sundays --title Sunday --agent coder --zone Europe/Berlin', cron('30 2 * * sun'));
    expect(await ledger('routines next sundays --count 60 -o table')).toBe(0);
    const [head, ...rows] = said.out.trimEnd().split('\n');
    expect(head).toMatch(/^TRIGGER +WHEN +UTC +LATE BY +CLOCKS$/);
    expect(rows).toHaveLength(60);
    expect(said.out).toMatch(/schedule +\S+ 03:00:00\+02:00 Europe\/Berlin +\S+T01:00:00Z +shifted\n/);
    expect(said.out).toMatch(/02:30:00\+02:00 Europe\/Berlin +\S+T00:30:00Z +first of two\n/);
    await ledger('routines pause sundays');
    expect(await ledger('routines next sundays -o table')).toBe(0);
    expect(said.err).toBe('sundays is paused: these are not fired\n');
    expect(await ledger('routines next sundays --count 101')).toBe(2);
  });

  it('gives a webhook another secret, and shows that once', async () => {
    await ledger('routines set rotated --title Rotate --agent coder --webhook');
    const [{ secret, path }] = told().webhooks;
    expect(await ledger('routines rotate-secret rotated --overlap 10m -o table')).toBe(0);
    expect(said.out).toMatch(/^webhook of rotated has another secret; the former one is taken until \S+/);
    expect(said.out).toContain(path);
    expect(said.out).not.toContain(secret);
    expect(said.err).toContain('authorization: Bearer $SECRET');
    expect(await ledger('routines rotate-secret rotated --overlap 10m')).toBe(0);
    expect(Date.parse(told().overlapUntil) - Date.parse(told().rotatedAt)).toBe(600_000);
    expect(await ledger('routines rotate-secret rotated bell')).toBe(3);
    await ledger('routines set moved --title Move --agent coder --webhook none');
    const [{ path: former }] = told().webhooks;
    expect(await ledger('routines rotate-secret moved -o table')).toBe(0);
    expect(said.out).toMatch(/^webhook of moved has another URL; the former one is taken until \S+/);
    expect(said.out).not.toContain(former);
    await ledger('routines get moved -o table');
    expect(said.out).toMatch(/^trigger webhook +webhook by none$/m);
  });
});
