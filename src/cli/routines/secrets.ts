import type { Command } from 'commander';
import type { RoutineView } from '../../commands/routines/routine-view.js';
import type { Trigger } from '../../events/routine.js';
import type { Routine } from '../../projections/routines/routine-queries.js';
import { named, openDoor, surely, verb, type Door, type DoorOptions } from '../door.js';
import { duration } from '../options.js';
import { sayTime } from '../times.js';
import { exampleOf } from './webhook-example.js';

/** Where a webhook is called, and what its callers prove themselves with: in one answer, and never again. */
interface ShownSecret {
  readonly trigger: string;
  /** `/v1/hooks/…` */
  readonly path: string;
  /** none: the path is the secret */
  readonly secret?: string;
}

export interface WithSecrets {
  readonly webhooks?: readonly ShownSecret[];
}

interface RotateOptions extends DoorOptions {
  overlap?: number;
}

export function addRotation(routines: Command): void {
  verb(
    routines,
    'rotate-secret <routine> [trigger]',
    'give a webhook another secret, or another URL where nothing is signed; `webhook` if no other is named',
  )
    .option('--overlap <duration>', 'the former one is taken for so long; 1h without it', duration)
    .action((routine: string, trigger: string | undefined, { overlap, ...options }: RotateOptions) =>
      rotate(openDoor(options), routine, trigger ?? 'webhook', overlap),
    );
}

type Rotated = WithSecrets & { readonly routine: RoutineView; readonly overlapUntil: string };

async function rotate(door: Door, routine: string, trigger: string, overlap: number | undefined): Promise<void> {
  const { client, output } = door;
  const asked = { overlapSec: overlap === undefined ? undefined : Math.round(overlap / 1_000) };
  const { body } = await named(client, 'routines', routine, (id) =>
    surely(client, (key) => client.post<Rotated>(['routines', id, 'triggers', trigger, 'rotate-secret'], asked, { key })),
  );
  const webhook = body.routine.triggers.find(({ id }) => id === trigger);
  const what = webhook?.kind === 'webhook' && webhook.signing === 'none' ? 'URL' : 'secret';
  output.did(
    body,
    `${trigger} of ${body.routine.id} has another ${what}; the former one is taken until ${sayTime(body.overlapUntil)}`,
  );
  tell(door, body.routine, body.webhooks ?? []);
}

/** Shows the secrets of new webhooks, and how one of them is called. */
export function tellSecrets(door: Door, routine: RoutineView & WithSecrets, before?: Routine): void {
  const { id, triggers, webhooks = [] } = routine;
  tell(door, routine, webhooks);
  const isKnown = (trigger: Trigger) => before?.triggers.some((one) => one.id === trigger.id && one.kind === 'webhook');
  const isTold = (trigger: Trigger) => webhooks.some((webhook) => webhook.trigger === trigger.id);
  for (const trigger of triggers.filter((one) => one.kind === 'webhook' && !isKnown(one) && !isTold(one)))
    door.output.note(
      `the secret of ${trigger.id} did not arrive: ledger routines rotate-secret ${id} ${trigger.id} shows another`,
    );
}

function tell({ client, output }: Door, routine: RoutineView, webhooks: readonly ShownSecret[]): void {
  for (const { trigger, path, secret } of webhooks) {
    const url = client.options.url + path;
    if (output.format === 'table')
      output.line([`${trigger} is called at  ${url}`, ...(secret ? [`with the secret  ${secret}`] : [])].join('\n'));
    const what = secret ? 'URL and secret are shown this once: keep them' : 'The URL is the secret, and shown this once: keep it';
    output.note(`${what}. Called, for example, by\n${exampleOf(routine, trigger, url)}`);
  }
}
