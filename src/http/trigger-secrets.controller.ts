import { Controller, Post } from '@nestjs/common';
import type { Dispatched } from '../commands/decider.js';
import { validated } from '../commands/dispatch.js';
import { Slug } from '../commands/fields.js';
import { rotateTriggerSecret } from '../commands/routines/rotate-trigger-secret.js';
import { TriggerSecrets } from '../webhooks/secrets.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Send } from './command-door.js';
import { Documented } from './documented.js';
import { withoutSecrets, type TellsSecrets } from './kept-secrets.js';
import { OneRoutine } from './routines.controller.js';

export class OneTrigger extends OneRoutine {
  @Slug() trigger!: string;
}

/** What the callers of a webhook prove themselves with. */
@Controller('v1/companies/:company/routines/:routine/triggers/:trigger')
export class TriggerSecretsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly secrets: TriggerSecrets,
  ) {}

  @Post('rotate-secret')
  @Documented({
    summary:
      'Gives a webhook another secret, or another address where nothing is signed; only this answer has it, and the former one is taken for a while',
    takes: rotateTriggerSecret.command,
    answers: 'RotatedSecret',
    refuses: ['routine_not_found', 'routine_archived', 'trigger_not_found', 'trigger_kind', 'not_permitted', 'secrets_locked'],
  })
  rotateSecret(@Call() call: Exchange) {
    return this.door.send(rotateTriggerSecret, call, {
      around: async (commandId, send) => {
        await this.secrets.refuseLocked(validated(OneTrigger, call.request.params));
        return this.rotated(commandId, send);
      },
      keep: withoutSecrets,
    });
  }

  private async rotated(commandId: string, send: Send<Rotation>): Promise<Dispatched<RotatedSecret>> {
    const { answer, ...sent } = await send(commandId);
    const { routine, trigger, rotatedAt, overlapUntil } = answer;
    const overlapSec = Math.max(0, Date.parse(overlapUntil) - Date.parse(rotatedAt)) / 1_000;
    const secret = await this.secrets.rotate({ company: routine.company, routine: routine.id, trigger }, overlapSec, commandId);
    return { ...sent, answer: { ...answer, ...(secret && { webhooks: [secret] }) } };
  }
}

type Rotation = NonNullable<(typeof rotateTriggerSecret)['answers']>;
type RotatedSecret = Rotation & TellsSecrets;
