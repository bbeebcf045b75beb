import fc from 'fast-check';
import { classifyFailure, type FailureReport } from '../../src/commands/classify-failure.js';
import { errorFamilies } from '../../src/events/run.js';

const now = new Date('2026-04-20T12:00:00.000Z');
const family = (report: FailureReport) => classifyFailure(report, now).family;

it('takes the rate limit of a shell command for one that passes, and the time from its words', () =>
  expect(
    classifyFailure({ errorCode: 'adapter_failed', exitCode: 1, error: '429 rate limited, retry after 5 seconds\n' }, now),
  ).toEqual({
    family: 'transient_upstream',
    notBefore: '2026-04-20T12:00:05.000Z',
  }));

it('believes the reporter before codes, and codes before words', () => {
  expect(family({ errorFamily: 'config', errorCode: 'timeout', error: '429' })).toBe('config');
  expect(family({ errorCode: 'process_lost', error: '429 too many requests' })).toBe('process_lost');
});

it.each(errorFamilies.map((name) => [name] as const))('takes the stated family %s as it is', (name) =>
  expect(family({ errorFamily: name, error: 'rate limit' })).toBe(name),
);

it.each([
  ['codex_transient_upstream', 'transient_upstream'],
  ['claude_transient_upstream', 'transient_upstream'],
  ['process_lost', 'process_lost'],
  ['timeout', 'timeout'],
  ['adapter_failed', 'unknown'],
  ['cancelled', 'unknown'],
  ['constructor', 'unknown'],
  ['login_required', 'auth'],
  ['max_turns_exhausted', 'config'],
  ['unknown_session', 'bug'],
  ['rate_limit_exceeded', 'transient_upstream'],
  ['http_429', 'transient_upstream'],
  ['usage_limit_reached', 'quota'],
] as const)('takes the code %s for %s', (errorCode, expected) => expect(family({ errorCode, exitCode: 1 })).toBe(expected));

describe('the words of codex', () => {
  const codex = (error: string, exitCode: number | null = 1) => classifyFailure({ adapter: 'codex_local', exitCode, error }, now);

  it.each([
    ["You've hit your usage limit. Try again at 3:15 PM (UTC).", 'quota', '2026-04-20T15:15:00.000Z'],
    ["You've hit your usage limit. Try again at 11:15 AM.", 'quota', '2026-04-21T11:15:00.000Z'],
    ["You've hit your usage limit. Try again at 3 pm (America/New_York)", 'quota', '2026-04-20T19:00:00.000Z'],
    ["We're currently experiencing high demand, try again later", 'transient_upstream', null],
    ['We are seeing temporary errors', 'transient_upstream', null],
    ['Error running remote compact task: 429 Too Many Requests', 'transient_upstream', null],
    ['Error running remote compaction: rate limit', 'transient_upstream', null],
    ['Error running remote compact task: service unavailable', 'transient_upstream', null],
    ['Error running remote compact task: overloaded', 'transient_upstream', null],
    ['429 rate limited, retry after 5 seconds', 'transient_upstream', '2026-04-20T12:00:05.000Z'],
  ])('pass by themselves: %j', (error, expected, notBefore) => expect(codex(error)).toEqual({ family: expected, notBefore }));

  it.each(['429 Too Many Requests', 'rate limit', 'overloaded', 'service unavailable', "You've hit your usage limit."])(
    'do not count in passing: %j',
    (error) => expect(codex(error).family).toBe('unknown'),
  );

  it('do not count after exit code 0', () => {
    expect(codex("We're currently experiencing high demand", 0).family).toBe('unknown');
    expect(codex('usage limit, try again at 3 pm', 0).family).toBe('unknown');
  });
});

describe.each(['claude_local', 'process'])('the words of %s', (adapter) => {
  const said = (error: string) => family({ adapter, errorCode: 'adapter_failed', exitCode: 1, error });

  it.each([
    'API Error: Rate limit reached',
    'rate_limit_error',
    'API Error: 429 {"type":"error"}',
    'status: 429',
    '{"status":429}',
    'HTTP/1.1 503',
    'Error: 529 {"type":"overloaded_error"}',
    'overloaded',
    'We are in high demand',
    'ThrottlingException: request was throttled',
    'too many requests',
    'service unavailable',
    'please try again later',
  ])('pass by themselves: %j', (error) => expect(said(error)).toBe('transient_upstream'));

  it.each([
    'Claude usage limit reached',
    '5-hour limit reached ∙ resets 4pm (America/Chicago)',
    'weekly limit reached',
    'You are out of extra usage',
    'Your extra usage is exhausted',
    "You've hit your limit",
    'You exceeded your current quota',
  ])('mean a used-up quota: %j', (error) => expect(said(error)).toBe('quota'));

  it.each([
    ['Reached maximum number of turns (30), rate limit', 'config'],
    ['max-turns reached', 'config'],
    ['No conversation found with session ID 7f, 429', 'bug'],
    ['unknown session', 'bug'],
    ['session id 7f is poisoned', 'bug'],
    ['image too large, try again later', 'bug'],
    ['image exceeds 5 MB maximum', 'bug'],
    ['Login required', 'auth'],
    ['Not logged in · Please run /login', 'auth'],
  ] as const)('are cured by no waiting: %j', (error, expected) => expect(said(error)).toBe(expected));

  it.each(['main.js:429:7', 'at line 429', 'took 429 ms', '/tmp/429/x', 'issue #503', 'v1.503', '503.5', 'port 5030', ''])(
    'are no status code: %j',
    (error) => expect(said(error)).toBe('unknown'),
  );
});

it('reads the reset of a used-up quota', () =>
  expect(classifyFailure({ adapter: 'claude_local', error: '5-hour limit reached ∙ resets 4pm (America/Chicago)' }, now)).toEqual(
    {
      family: 'quota',
      notBefore: '2026-04-20T21:00:00.000Z',
    },
  ));

it('believes the field before the text, and the text where the field cannot be read', () => {
  const error = 'rate limit, retry after 20 seconds';
  expect(classifyFailure({ error, retryAfter: '120' }, now).notBefore).toBe('2026-04-20T12:02:00.000Z');
  expect(classifyFailure({ error, retryAfter: 'Sun, 06 Nov 1994 08:49:37 GMT' }, now).notBefore).toBe('2026-04-20T12:00:20.000Z');
});

it('takes a command that could not be started for a mistake of set-up', () => {
  expect(family({ exitCode: 127, error: 'sh: 1: agent: not found' })).toBe('config');
  expect(family({ exitCode: 126 })).toBe('config');
  expect(family({ exitCode: null })).toBe('unknown');
});

it('names a family for whatever is reported', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.option(fc.integer()), (error, errorCode, exitCode) =>
      expect(errorFamilies).toContain(family({ error, errorCode, exitCode })),
    ),
  );
});

it.each([
  ['a', 'a'],
  ['digits', '429'],
  ['spaces', ' '],
  ['half a session', 'session id '],
  ['half an image', 'image '],
  ['half a delay', 'retry after 1h '],
  ['amounts', '1h 2m '],
  ['half a clock', 'resets Apr 1 '],
  ['dots', '.x:'],
])('takes time in proportion to the text for a megabyte of %s', (_, piece) => {
  const error = piece.repeat(1_048_576 / piece.length);
  const started = performance.now();
  classifyFailure({ error, retryAfter: error }, now);
  expect(performance.now() - started).toBeLessThan(2_000);
});
