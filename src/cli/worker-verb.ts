import { hostname } from 'node:os';
import { Option, type Command } from 'commander';
import { clientConfig } from '../config.js';
import { duration, wholeNumber } from './options.js';
import { Usage } from './problem.js';

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a command once for each run of an agent; what runs is what stands here, never what came over the network')
    .requiredOption('--agent <agent>', 'whose runs to claim')
    .option('--company <company>', 'instead of LEDGER_COMPANY')
    .option('--max <n>', 'runs at the same time', wholeNumber, 1)
    .addOption(
      new Option('--timeout <duration>', 'the longest that a run may take').argParser(duration).default(30 * 60_000, '30m'),
    )
    .addOption(
      new Option('--grace <duration>', 'how long running commands may go on after SIGTERM')
        .argParser(duration)
        .default(30_000, '30s'),
    )
    .addOption(
      new Option('--lease <duration>', 'how long a run stays reserved for a worker that is not heard of').argParser(duration),
    )
    .argument('<command...>', 'after --: the command and its arguments')
    .addHelpText('after', example)
    .action((command: string[], options: WorkerOptions) => work(command, options));
}

const example = `
  ledger worker --agent coder --max 2 --timeout 30m -- node agent.mjs

The command gets LEDGER_TASK, LEDGER_RUN, LEDGER_ATTEMPT, LEDGER_REASON, LEDGER_FALLBACK_MODE, LEDGER_LEASE and LEDGER_CONTEXT_FILE (JSON),
and may write {error?, errorCode?, errorFamily?, retryAfter?, result?, usage?} to LEDGER_RESULT_FILE.
Exit code 0 without an error in there is success. What it leaves running in its process group ends with it.`;

interface WorkerOptions {
  agent: string;
  company?: string;
  max: number;
  timeout: number;
  grace: number;
  lease?: number;
}

async function work(command: string[], { agent, company, max, timeout, grace, lease }: WorkerOptions): Promise<void> {
  if (max < 1 || max > 10) throw new Usage(`--max is ${max}: give 1 to 10`);
  const config = clientConfig();
  const { Worker } = await import('./worker/worker.js');
  await new Worker({
    url: config.url,
    token: config.token,
    home: config.home,
    company: company ?? config.company,
    agent,
    workerId: `${hostname()}-${process.pid}`,
    command,
    max,
    timeoutMs: timeout,
    graceMs: grace,
    leaseMs: lease,
  }).run();
}
