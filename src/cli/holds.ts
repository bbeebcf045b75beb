import type { Command } from 'commander';
import { act, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';

interface HoldOptions extends DoorOptions {
  reason?: string;
  subtree?: boolean;
  interrupt: boolean;
}

/** `tasks hold` and `tasks release`. */
export function addTaskHolds(tasks: Command): void {
  verb(tasks, 'hold <task>', 'start nothing on it until it is released; nothing is lost')
    .option('--reason <reason>', 'kept with the change')
    .option('--subtree', 'nor on the tasks below it')
    .option('--no-interrupt', 'let what runs go on')
    .action((task: string, { reason, subtree, interrupt, ...options }: HoldOptions) =>
      steer(openDoor(options), task, 'hold', { reason, subtree, interrupt }),
    );

  verb(tasks, 'release <task>', 'let go on what was held')
    .option('--reason <reason>', 'kept with the change')
    .action((task: string, { reason, ...options }: HoldOptions) => steer(openDoor(options), task, 'release', { reason }));
}

async function steer(door: Door, task: string, step: 'hold' | 'release', body: object): Promise<void> {
  const { id, body: answer } = await act<object>(door, 'tasks', task, step, body);
  door.output.did(answer, `${id} is ${step === 'hold' ? 'held' : 'released'}`);
}

/** `companies hold` and `companies release`. */
export function addCompanyHolds(companies: Command): void {
  verb(companies, 'hold <id>', 'start nothing of it until it is released; nothing is lost')
    .option('--reason <reason>', 'kept with the change')
    .option('--no-interrupt', 'let what runs go on')
    .action((id: string, { reason, interrupt, ...options }: HoldOptions) =>
      steerCompany(openDoor({ ...options, company: id }), id, 'hold', { reason, interrupt }),
    );

  verb(companies, 'release <id>', 'let go on what was held')
    .option('--reason <reason>', 'kept with the change')
    .action((id: string, { reason, ...options }: HoldOptions) =>
      steerCompany(openDoor({ ...options, company: id }), id, 'release', { reason }),
    );
}

async function steerCompany({ client, output }: Door, id: string, step: 'hold' | 'release', body: object): Promise<void> {
  const { body: answer } = await surely(client, (key) => client.post<object>([step], body, { key }));
  output.did(answer, `${id} is ${step === 'hold' ? 'held' : 'released'}`);
}
