import { exitCodeOf, Problem, Unanswered, Usage } from '../../src/cli/problem.js';

describe('exit codes', () => {
  it.each([
    [400, 'malformed', 2],
    [401, 'unauthenticated', 5],
    [404, 'run_not_found', 3],
    [409, 'issue_terminal_status', 5],
    [409, 'stale_lease', 4],
    [412, 'revision_mismatch', 4],
    [413, 'too_large', 2],
    [422, 'idempotency_key_reused', 4],
    [422, 'cron_invalid', 2],
    [429, 'too_many_requests', 75],
    [500, 'internal', 1],
    [503, 'outcome_unknown', 75],
  ])('of %d %s is %d', (status, code, exitCode) => expect(exitCodeOf(new Problem(status, { code }))).toBe(exitCode));

  it('is 75 for whatever may do later', () =>
    expect(exitCodeOf(new Problem(409, { code: 'contention', retryable: true }))).toBe(75));
  it('is 75 when nobody answers', () => expect(exitCodeOf(new Unanswered('no ledger answers', true))).toBe(75));
  it('is 2 for a command line that cannot be used', () => expect(exitCodeOf(new Usage('give --title'))).toBe(2));
  it('is 1 for everything else', () => expect(exitCodeOf(new TypeError('oops'))).toBe(1));
});

describe('a problem', () => {
  it('is its detail', () =>
    expect(new Problem(404, { title: 'Not found', detail: 'there is no run A.1' }).message).toBe('there is no run A.1'));

  it('names each field that its detail does not', () =>
    expect(
      new Problem(400, {
        detail: 'unknown field colour',
        errors: [
          { field: 'colour', message: 'unknown field colour' },
          { field: 'max', message: 'give 1 to 10' },
        ],
      }).message,
    ).toBe('unknown field colour\n  max: give 1 to 10'));

  it('says its status where there is nothing else', () =>
    expect(new Problem(502, {}).message).toBe('the server answered 502 without a word'));
});
