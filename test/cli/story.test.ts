import { story } from '../../src/cli/story.js';

describe('the story of an event', () => {
  it('says how a run failed, and of what', () =>
    expect(
      story({
        type: 'RunFailed',
        data: { runId: 'ACME-12.1', exitCode: 1, errorFamily: 'quota', error: '429\nrate limited', notBefore: null },
      }),
    ).toBe('ACME-12.1 failed with exit code 1 (quota): 429 rate limited'));

  it('says when a retry is due, and how its delay came about', () =>
    expect(
      story({
        type: 'RetryScheduled',
        data: {
          runId: 'ACME-12.2',
          retryOf: 'ACME-12.1',
          attempt: 1,
          maxAttempts: 4,
          reason: 'transient_failure',
          baseDelayMs: 120_000,
          delayMs: 126_000,
          dueAt: '2026-04-20T12:02:06.000Z',
        },
      }),
    ).toMatch(/^ACME-12\.2 is parked until .*: attempt 1 of 4 after ACME-12\.1, transient_failure \(2m became 2m6s\)$/));

  it('says why a demand was withdrawn', () =>
    expect(story({ type: 'WakeupCancelled', data: { reason: 'no longer needed', code: 'operator_cancelled' } })).toBe(
      'the demand is withdrawn: no longer needed (operator_cancelled)',
    ));

  it('has nothing to say of an event from a later version', () => expect(story({ type: 'RunPraised', data: {} })).toBe(''));
});
