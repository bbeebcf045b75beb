import { decideSilence, reportSilence } from '../../src/commands/silence.js';
import { at, fact, itself, machine, runningRun, succeeded, waitingRun } from '../facts.js';
import { given } from '../given.js';

const run = { company: 'acme', run: 'ACME-12.1' };
const since = (clock: string) => ({ ...run, lastOutputAt: at(clock).toISOString() });
const silent = (level: 'suspicious' | 'critical', lastOutputAt: string, silentAt: string) =>
  fact('RunWentSilent', {
    runId: 'ACME-12.1',
    agent: 'fixer',
    level,
    lastOutputAt: at(lastOutputAt).toISOString(),
    silentAt: at(silentAt).toISOString(),
  });
const decided = (decision: 'snooze' | 'continue' | 'dismiss', decidedAt: string, until: string | null) =>
  fact('SilenceDecided', {
    runId: 'ACME-12.1',
    agent: 'fixer',
    decision,
    until: until && at(until).toISOString(),
    reason: decision,
    decidedAt: at(decidedAt).toISOString(),
  });
const raised = [...runningRun, silent('suspicious', '12:00', '13:00')] as const;

describe('a run that says nothing', () => {
  it('case 58: is no matter for 59 minutes and 59 seconds, suspicious after an hour, critical after four', () => {
    given(...runningRun)
      .when(reportSilence, since('12:00'), { now: at('12:59:59') })
      .thenNothing();
    given(...runningRun)
      .when(reportSilence, since('12:00'), { now: at('13:00') })
      .then({ type: 'RunWentSilent', data: { level: 'suspicious', lastOutputAt: at('12:00').toISOString() } });
    given(...raised)
      .when(reportSilence, since('12:00'), { now: at('16:00') })
      .then({ type: 'RunWentSilent', data: { level: 'critical' } });
  });
  it('is pointed out once for each level', () => {
    given(...raised)
      .when(reportSilence, since('12:00'), { now: at('15:59') })
      .thenNothing();
    given(...raised, silent('critical', '12:00', '16:00'))
      .when(reportSilence, since('12:00'), { now: at('20:00') })
      .thenNothing();
  });
  it('is pointed out again when it spoke in between', () =>
    given(...raised)
      .when(reportSilence, since('14:00'), { now: at('15:30') })
      .then({ type: 'RunWentSilent', data: { level: 'suspicious' } }));
  it('case 59: is left alone until the snooze has run out, and raised after it', () => {
    const snoozed = given(...raised, decided('snooze', '13:10', '15:00'));
    snoozed.when(reportSilence, since('12:00'), { now: at('14:59:59') }).thenNothing();
    snoozed.when(reportSilence, since('12:00'), { now: at('15:00') }).then({ type: 'RunWentSilent' });
  });
  it('is not raised by the next sweep after it was dismissed, but when output came and stopped again', () => {
    const dismissed = given(...raised, decided('dismiss', '13:10', null));
    dismissed.when(reportSilence, since('12:00'), { now: at('20:00') }).thenNothing();
    dismissed.when(reportSilence, since('13:20'), { now: at('14:30') }).then({ type: 'RunWentSilent' });
  });
  it('is no matter once it has ended, or before it has begun', () => {
    given(...runningRun, succeeded(1))
      .when(reportSilence, since('12:00'), { now: at('14:00') })
      .thenNothing();
    given(...waitingRun)
      .when(reportSilence, since('12:00'), { now: at('14:00') })
      .thenNothing();
  });
});

describe('a decision on a silent run', () => {
  const now = at('13:10');
  it('is a snooze until a time that is to come', () => {
    given(...raised)
      .when(decideSilence, { ...run, decision: 'snooze', until: '2026-04-20T15:00:00Z', reason: 'it compiles' }, { now })
      .then({ type: 'SilenceDecided', data: { decision: 'snooze', until: at('15:00').toISOString(), reason: 'it compiles' } });
    given(...raised)
      .when(decideSilence, { ...run, decision: 'snooze' }, { now })
      .refuses('data_refused', /until is missing/);
    given(...raised)
      .when(decideSilence, { ...run, decision: 'snooze', until: '2026-04-20T13:00:00Z' }, { now })
      .refuses('data_refused', /still to come/);
  });
  it('lets it go on for half an hour, or does not want to hear of it', () => {
    given(...raised)
      .when(decideSilence, { ...run, decision: 'continue' }, { now })
      .then({ type: 'SilenceDecided', data: { until: at('13:40').toISOString() } });
    given(...raised)
      .when(decideSilence, { ...run, decision: 'dismiss' }, { now })
      .then({ type: 'SilenceDecided', data: { until: null } });
  });
  it.each([itself, machine])('is a person’s, and never the silent agent’s own: %o', (actor) =>
    given(...raised)
      .when(decideSilence, { ...run, decision: 'dismiss' }, { now, actor })
      .refuses('not_permitted', /a person may/),
  );
  it('is refused for a run that is not silent, or does not run', () => {
    given(...runningRun)
      .when(decideSilence, { ...run, decision: 'dismiss' }, { now })
      .refuses('run_not_silent', /not been silent/);
    given(...raised, succeeded(1))
      .when(decideSilence, { ...run, decision: 'dismiss' }, { now })
      .refuses('run_not_silent', /over/);
    given(...raised)
      .when(decideSilence, { company: 'acme', run: 'ACME-12.7', decision: 'dismiss' }, { now })
      .refuses('run_not_found');
  });
});
