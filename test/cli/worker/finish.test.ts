import { finishOf, withoutExtras, type Ending } from '../../../src/cli/worker/finish.js';

const ending: Ending = { exit: { code: 0, signal: null }, stop: undefined, said: {}, lastErrors: '' };
const report = (part: Partial<Ending>) => finishOf('token', { ...ending, ...part });

describe('the end of a command', () => {
  it('is a success when it ends with 0', () =>
    expect(report({ said: { result: { done: 3 } }, lastErrors: 'a warning' })).toEqual({
      lease: 'token',
      outcome: 'succeeded',
      exitCode: 0,
      result: { done: 3 },
      usage: undefined,
    }));

  it('is a failure when its result file has an error, whatever it ends with', () =>
    expect(report({ said: { error: 'rate limited', errorFamily: 'quota' } })).toMatchObject({
      outcome: 'failed',
      exitCode: 0,
      error: 'rate limited',
      errorFamily: 'quota',
    }));

  it('is a failure with its last words', () =>
    expect(report({ exit: { code: 1, signal: null }, lastErrors: '429 rate limited' })).toMatchObject({
      outcome: 'failed',
      exitCode: 1,
      error: '429 rate limited',
    }));

  it('names the signal that ended it without a word', () =>
    expect(report({ exit: { code: null, signal: 'SIGSEGV' } })).toMatchObject({ outcome: 'failed', error: 'ended by SIGSEGV' }));

  it('is a matter of configuration when there is no such command', () =>
    expect(report({ exit: { code: null, signal: null, notStarted: 'agnet: there is no such command' } })).toMatchObject({
      outcome: 'failed',
      errorFamily: 'config',
      error: 'agnet: there is no such command',
    }));

  it('is what the worker made of it, even if the command then ended well', () => {
    expect(report({ stop: { kind: 'timed_out', why: 'took longer than 30m' } })).toMatchObject({
      outcome: 'timed_out',
      error: 'took longer than 30m',
    });
    expect(report({ stop: { kind: 'cancelled', why: 'asked for' } })).toMatchObject({ outcome: 'cancelled', intent: 'stop' });
    expect(report({ stop: { kind: 'handed_back', why: 'its worker was stopped' } })).toMatchObject({
      outcome: 'cancelled',
      intent: 'requeue',
    });
  });

  it('can be told without what the ledger refused', () =>
    expect(
      withoutExtras(
        report({ exit: { code: 1, signal: null }, lastErrors: 'oops', said: { usage: { tokens: 2 ** 60 } } }),
        'usage.tokens is too large',
      ),
    ).toEqual({
      lease: 'token',
      outcome: 'failed',
      exitCode: 1,
      error: 'oops\n(the rest of the report was refused: usage.tokens is too large)',
    }));
});
