import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config.js';
import { addAgents } from './agents.js';
import { addAudit } from './audit.js';
import { addCompanies } from './companies.js';
import { addDashboard } from './dashboard.js';
import { addDoctor } from './doctor.js';
import { addPolicies } from './policies.js';
import { addProjections } from './projections/projections.js';
import { Ended, exitCodeOf, exitCodes, type ExitCode } from './problem.js';
import { addReplay } from './replay.js';
import { addRetries } from './retries.js';
import { addRoutines } from './routines/routines.js';
import { addRuns } from './runs.js';
import { addServe } from './serve.js';
import { addStore } from './store/store.js';
import { addTasks } from './tasks.js';
import { addWakeups } from './wakeups.js';
import { addWhatIf } from './what-if.js';
import { addWhy } from './why.js';
import { addWatch } from './watch.js';
import { addWorker } from './worker-verb.js';

const add = [
  addServe,
  addWorker,
  addDashboard,
  addRuns,
  addRetries,
  addWakeups,
  addAgents,
  addTasks,
  addRoutines,
  addCompanies,
  addReplay,
  addWhy,
  addWatch,
  addAudit,
  addProjections,
  addPolicies,
  addWhatIf,
  addDoctor,
  addStore,
];

/** Runs one command line, without the two words before it, and answers its exit code. */
export async function runCommand(args: readonly string[]): Promise<ExitCode> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return explain(error);
  }
}

function createProgram(): Command {
  const program = new Command('ledger')
    .description('A run ledger: what agents were asked to do, what came of it, and what comes next.')
    .addHelpText(
      'after',
      `\nAgainst the server at LEDGER_URL (http://127.0.0.1:4100), for LEDGER_COMPANY (default).\nExit codes: ${exits}.`,
    )
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help says what there is)');
  for (const addVerb of add) addVerb(program);
  for (const command of withSubcommands(program)) command.exitOverride().showHelpAfterError('(--help says what there is)');
  return program;
}

/** Of package.json, which lies beside src/ and beside dist/. */
const version = (): string => (createRequire(import.meta.url)('../../package.json') as { version: string }).version;

const exits = '0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 refused, 7 drift found, 75 try again';

/** Subcommands take over how errors end only from a parent that was told before them. */
const withSubcommands = (command: Command): Command[] => command.commands.flatMap((child) => [child, ...withSubcommands(child)]);

function explain(error: unknown): ExitCode {
  // Commander has said what is wrong already; asking for help ends with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof Ended)) console.error(error instanceof Error ? error.message : String(error));
  return error instanceof ConfigError ? exitCodes.usage : exitCodeOf(error);
}
