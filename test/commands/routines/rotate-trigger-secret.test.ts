import { rotateTriggerSecret } from '../../../src/commands/routines/rotate-trigger-secret.js';
import { at, itself } from '../../facts.js';
import { given } from '../../given.js';
import { definition, routineArchived, routineDefined, secretRotated } from '../../routine-facts.js';

const iso = (clock: string): string => at(clock).toISOString();

describe('rotating the secret of a webhook', () => {
  const push = { company: 'acme', routine: 'nightly', trigger: 'push' };

  it('says until when the former one is taken', () =>
    given(routineDefined())
      .when(rotateTriggerSecret, push)
      .answering({ routine: { id: 'nightly' }, trigger: 'push', overlapUntil: iso('13:00'), rotatedAt: iso('12:00') })
      .then({ type: 'TriggerSecretRotated', data: { trigger: 'push', overlapUntil: iso('13:00') } }));

  it('takes the former one no more if it is told so', () =>
    given(routineDefined())
      .when(rotateTriggerSecret, { ...push, overlapSec: 0 })
      .then({ type: 'TriggerSecretRotated', data: { overlapUntil: iso('12:00') } }));

  it('asked for twice gives two, one after the other', () =>
    given(routineDefined(), secretRotated).when(rotateTriggerSecret, push).then({ type: 'TriggerSecretRotated' }));

  it('is done where the address is the secret, too', () => {
    const { triggers } = definition;
    given(routineDefined({ triggers: triggers.map((one) => (one.kind === 'webhook' ? { ...one, signing: 'none' } : one)) }))
      .when(rotateTriggerSecret, push)
      .then({ type: 'TriggerSecretRotated', data: { trigger: 'push', overlapUntil: iso('13:00') } });
  });

  it('is refused of what has no secret, and of who has no say', () => {
    given(routineDefined())
      .when(rotateTriggerSecret, { ...push, trigger: 'daily' })
      .refuses('trigger_kind', /only a webhook/);
    given(routineDefined())
      .when(rotateTriggerSecret, { ...push, trigger: 'x' })
      .refuses('trigger_not_found', /daily, push/);
    given().when(rotateTriggerSecret, push).refuses('routine_not_found');
    given(routineDefined(), routineArchived).when(rotateTriggerSecret, push).refuses('routine_archived');
    given(routineDefined({ agent: 'reviewer' }))
      .when(rotateTriggerSecret, push, { actor: itself })
      .refuses('not_permitted');
  });
});
