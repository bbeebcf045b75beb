import { detachRun, reattachRun } from '../../src/commands/detached.js';
import { fact, runningRun, succeeded } from '../facts.js';
import { given } from '../given.js';

const run = { company: 'acme', run: 'ACME-12.1', lease: 'secret' };
const lease = { token: 'secret', runId: 'ACME-12.1' };
const detached = fact('RunDetached', { runId: 'ACME-12.1', agent: 'fixer', detachedAt: '2026-04-20T11:30:00.000Z' });

describe('a run whose worker is gone', () => {
  it('case 50: is detached once, however often it is found so', () => {
    given(...runningRun)
      .when(detachRun, run, { lease })
      .then({ type: 'RunDetached' });
    given(...runningRun, detached)
      .when(detachRun, run, { lease })
      .thenNothing();
  });
  it('is taken up again, if it was detached', () => {
    given(...runningRun, detached)
      .when(reattachRun, run, { lease })
      .then({ type: 'RunReattached' });
    given(...runningRun)
      .when(reattachRun, run, { lease })
      .thenNothing();
  });
  it('is nobody’s to speak of without its lease, nor after its end', () => {
    given(...runningRun)
      .when(detachRun, run, { lease: { ...lease, token: 'another' } })
      .refuses('stale_lease');
    given(...runningRun, detached)
      .when(reattachRun, run)
      .refuses('stale_lease');
    given(...runningRun, succeeded(1))
      .when(detachRun, run, { lease })
      .thenNothing();
  });
});
