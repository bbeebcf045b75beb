import type { Command } from 'commander';
import { addCompanyHolds } from './holds.js';
import { openDoor, surely, verb, type Door, type DoorOptions } from './door.js';

export function addCompanies(program: Command): void {
  const companies = program.command('companies').description('tenants: each has its agents, tasks and runs to itself');

  verb(companies, 'set <id>', 'give a company its name')
    .requiredOption('--name <name>', 'for people')
    .action((id: string, options: DoorOptions & { name: string }) =>
      set(openDoor({ ...options, company: id }), id, options.name),
    );

  addCompanyHolds(companies);
}

async function set({ client, output }: Door, id: string, name: string): Promise<void> {
  const { body } = await surely(client, (key) => client.put<object>([], { name }, { key }));
  output.did(body, `${id} is named ${name}`);
}
