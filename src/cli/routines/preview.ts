import type { Command } from 'commander';
import type { Preview } from '../../commands/routines/preview.js';
import { named, openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { inputOf, inputOptions, type InputOptions } from './input.js';

export function addPreview(routines: Command): void {
  inputOptions(verb(routines, 'preview <routine>', 'what a fire would ask for now; nothing is fired')).action(
    (routine: string, options: DoorOptions & InputOptions) => preview(openDoor(options), routine, options),
  );
}

async function preview({ client, output }: Door, routine: string, options: InputOptions): Promise<void> {
  const input = inputOf(options);
  const { body } = await named(client, 'routines', routine, (id) =>
    client.post<Preview>(['routines', id, 'preview'], input, { key: null }),
  );
  output.one(body, ({ title, description, variables, fingerprint }) => [
    ['title', title],
    ['description', description],
    ...Object.entries(variables).map(([name, value]) => [name, JSON.stringify(value)] as const),
    ['fingerprint', fingerprint ?? 'none: the routine has no agent'],
  ]);
}
