import type { Routine, RoutineEvent, WebhookTrigger } from '../../events/routine.js';
import { decision, Rejected, type Outcome, type World } from '../decider.js';
import { Int, Optional, Slug } from '../fields.js';
import { addressed, notArchived, ofRoutine, triggerNamed } from './routine.js';
import { routineAnswer } from './routine-view.js';

/**
 * A webhook gets another secret, or another address where that is the secret; the former one is taken for `overlapSec` more. The secrets
 * themselves are kept elsewhere.
 */
export class RotateTriggerSecret {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Slug() trigger!: string;
  @Optional() @Int(0, 604_800) overlapSec?: number;
}

export const rotateTriggerSecret = decision({
  command: RotateTriggerSecret,
  ...ofRoutine,
  decide(command: RotateTriggerSecret, known: Routine | undefined, world: World): RoutineEvent[] {
    const routine = notArchived(addressed(command, known, world));
    const trigger = webhookOf(routine, command.trigger).id;
    const overlapUntil = new Date(world.now.getTime() + (command.overlapSec ?? 3_600) * 1_000).toISOString();
    const rotatedAt = world.now.toISOString();
    return [{ type: 'TriggerSecretRotated', data: { routine: routine.routine, trigger, overlapUntil, rotatedAt } }];
  },
  answer: (command, outcome) => ({ ...routineAnswer(command, outcome), ...rotation(outcome) }),
});

function webhookOf(routine: Routine, id: string): WebhookTrigger {
  const trigger = triggerNamed(routine, id);
  if (trigger.kind !== 'webhook')
    throw new Rejected('trigger_kind', `trigger ${id} is of kind ${trigger.kind}: only a webhook has a secret`);
  return trigger;
}

function rotation({ events }: Outcome<Routine | undefined, RoutineEvent>) {
  const rotated = events.find((event) => event.type === 'TriggerSecretRotated');
  if (!rotated) throw new Error('a rotation writes that it was one');
  const { trigger, overlapUntil, rotatedAt } = rotated.data;
  return { trigger, overlapUntil, rotatedAt };
}
