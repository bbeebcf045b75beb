import fc from 'fast-check';
import { defaultRetryPolicy, maxAttempts, planRetry, type Circumstances } from '../../src/commands/retry-policy.js';

const now = new Date('2026-04-20T12:00:00.000Z');
const usual: Circumstances = { now, sample: 0.5, notBefore: null, adapter: 'process' };
const plan = (attempt: number, circumstances: Partial<Circumstances> = {}, policy = {}) =>
  planRetry({ ...defaultRetryPolicy, ...policy }, attempt, { ...usual, ...circumstances });

describe('the bounded retry', () => {
  it('has four attempts by default', () => expect(maxAttempts(defaultRetryPolicy)).toBe(4));

  it.each([
    [1, 120_000, '2026-04-20T12:02:00.000Z'],
    [2, 600_000, '2026-04-20T12:10:00.000Z'],
    [3, 1_800_000, '2026-04-20T12:30:00.000Z'],
    [4, 7_200_000, '2026-04-20T14:00:00.000Z'],
  ])('case 7: waits before attempt %i for %i ms', (attempt, delayMs, dueAt) =>
    expect(plan(attempt)).toEqual({ baseDelayMs: delayMs, jitter: 0.5, delayMs, dueAt }),
  );

  it.each([
    [0, 0, 90_000],
    [1, 1, 150_000],
    [-3, 0, 90_000],
    [7, 1, 150_000],
    [-Infinity, 0, 90_000],
    [NaN, 0.5, 120_000],
  ])('case 8: takes sample %d for %d and waits %i ms', (sample, jitter, delayMs) =>
    expect(plan(1, { sample })).toMatchObject({ jitter, delayMs }),
  );

  it.each(['same_session', 'safer_invocation', 'fresh_session', 'fresh_session_safer_invocation'])(
    'case 6: has codex fall back to %s in turn',
    (fallbackMode) => {
      const modes = [1, 2, 3, 4].map((attempt) => plan(attempt, { adapter: 'codex_local' }).fallbackMode);
      expect(modes).toContain(fallbackMode);
      expect(modes).toEqual(['same_session', 'safer_invocation', 'fresh_session', 'fresh_session_safer_invocation']);
    },
  );

  it('keeps to the last fallback when a policy has more attempts', () =>
    expect(plan(5, { adapter: 'codex_local' }, { delaysMs: [1, 2, 3, 4, 5] }).fallbackMode).toBe(
      'fresh_session_safer_invocation',
    ));

  it('case 11: gives no fallback to other adapters', () =>
    expect(plan(1, { adapter: 'claude_local' })).not.toHaveProperty('fallbackMode'));

  it('never waits less than a second', () => expect(plan(1, { sample: 0 }, { delaysMs: [10] }).delayMs).toBe(1_000));

  it('refuses an attempt beyond the budget', () => {
    expect(() => plan(5)).toThrow('attempt 5: policy "default" has 4');
    expect(() => plan(0)).toThrow('attempt 0: policy "default" has 4');
  });
});

describe("a provider's not-before", () => {
  it('case 9: replaces the due time if it is later', () =>
    expect(plan(1, { notBefore: '2026-04-20T14:00:00Z' })).toEqual({
      baseDelayMs: 120_000,
      jitter: 0.5,
      delayMs: 120_000,
      dueAt: '2026-04-20T14:00:00.000Z',
      notBefore: '2026-04-20T14:00:00.000Z',
    }));

  it('case 9: changes nothing if it is earlier', () => expect(plan(1, { notBefore: '2026-04-20T12:01:00Z' })).toEqual(plan(1)));

  it('is cut to a day, and both times are recorded', () =>
    expect(plan(1, { notBefore: '2026-04-21T13:00:00Z' })).toMatchObject({
      dueAt: '2026-04-21T12:00:00.000Z',
      notBefore: '2026-04-21T13:00:00.000Z',
      notBeforeCapped: '2026-04-21T12:00:00.000Z',
    }));

  it('is spread forward when the policy asks for it', () =>
    expect(plan(1, { notBefore: '2026-04-20T14:00:00Z' }, { notBeforeJitterMs: 60_000 }).dueAt).toBe('2026-04-20T14:00:30.000Z'));

  it('is spread backward at the cap', () =>
    expect(plan(1, { notBefore: '2026-05-01T00:00:00Z' }, { notBeforeJitterMs: 60_000 }).dueAt).toBe('2026-04-21T11:59:30.000Z'));

  it('never shortens the back-off, however little it is believed', () =>
    expect(plan(4, { notBefore: '2026-05-01T00:00:00Z' }, { maxNotBeforeMs: 0, notBeforeJitterMs: 60_000 }).dueAt).toBe(
      plan(4).dueAt,
    ));

  it('is ignored if it is no time', () => expect(plan(1, { notBefore: 'soon' })).toEqual(plan(1)));
});

it('keeps every delay within a quarter of its base, and every due time between that and the cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.oneof(fc.double(), fc.double({ min: 0, max: 1, noNaN: true })),
      fc.option(fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true })),
      fc.integer({ min: 0, max: 3_600_000 }),
      (attempt, sample, notBefore, notBeforeJitterMs) => {
        const made = plan(attempt, { sample, notBefore: notBefore?.toISOString() ?? null }, { notBeforeJitterMs });
        const base = defaultRetryPolicy.delaysMs[attempt - 1]!;
        expect(made.delayMs).toBeGreaterThanOrEqual(Math.round(base * 0.75));
        expect(made.delayMs).toBeLessThanOrEqual(Math.round(base * 1.25));
        expect(made.jitter >= 0 && made.jitter <= 1).toBe(true);
        const wait = Date.parse(made.dueAt) - now.getTime();
        expect(wait >= made.delayMs && wait <= 24 * 3_600_000).toBe(true);
        expect(made.notBefore !== undefined).toBe(notBefore !== null && notBefore.getTime() > now.getTime() + made.delayMs);
      },
    ),
  );
});
