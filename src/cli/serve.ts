import type { Command } from 'commander';
import { describeConfig, serverConfig } from '../config.js';

// What a server needs is imported when one is wanted: every other verb starts in a tenth of the time.

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the ledger: REST, read models, promoter and reaper')
    .addHelpText('after', () => `\nConfiguration, from the environment:\n${describeConfig()}`)
    .action(async () => {
      const { serve } = await import('../main.js');
      await serve();
    });

  program
    .command('migrate')
    .description("bring the database to this version's schema; serve does so by itself")
    .action(migrateDatabase);
}

async function migrateDatabase(): Promise<void> {
  const { databaseUrl, home } = serverConfig();
  if (databaseUrl) return migrateAt(databaseUrl);
  const { startEmbeddedPostgres } = await import('../embedded-postgres.js');
  const postgres = await startEmbeddedPostgres({ home });
  try {
    await migrateAt(postgres.url);
  } finally {
    await postgres.stop();
  }
}

async function migrateAt(url: string): Promise<void> {
  const { createPool } = await import('../database.js');
  const { migrate } = await import('../migrator.js');
  const pool = createPool(url, 'admin');
  try {
    const ran = await migrate(pool);
    console.log(ran.length > 0 ? `ran ${ran.join(', ')}` : 'the schema is up to date');
  } finally {
    await pool.end();
  }
}
