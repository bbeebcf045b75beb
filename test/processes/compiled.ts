import { execFile } from 'node:child_process';
import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

let compiling: Promise<string> | undefined;

/** The command line of the ledger as JavaScript, for processes of its own; built once per test run, from the sources as they are. */
export function compiledLedger(): Promise<string> {
  compiling ??= compileUnlessDone();
  return compiling;
}

async function compileUnlessDone(): Promise<string> {
  const folder = join(process.env.TEST_LEDGER_HOME ?? '', 'compiled');
  if (!existsSync(folder)) await compile(folder);
  return join(folder, 'dist/cli/main.js');
}

/** Beside the folder and then renamed, because two test files may come at the same time. */
async function compile(folder: string): Promise<void> {
  const half = `${folder}.${process.pid}`;
  const options = ['-p', 'tsconfig.json', '--noCheck', '--outDir', join(half, 'dist')];
  await run(process.execPath, ['node_modules/typescript7/bin/tsc', ...options]);
  for (const found of ['node_modules', 'migrations', 'package.json']) symlinkSync(resolve(found), join(half, found));
  try {
    renameSync(half, folder);
  } catch (error) {
    rmSync(half, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}
