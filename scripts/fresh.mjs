// Brings what is missing or stale up to date, and does nothing where nothing is. Runs before any package is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Both of the below; ends the process with the reason when that is not possible. */
export function freshen() {
  try {
    installIfStale();
    buildIfStale();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/** Installs the packages of a folder unless every one that its lockfile names is there. */
export function installIfStale(folder = root) {
  refuseOldNode();
  if (isInstalled(folder)) return;
  console.error(`Installing packages${folder === root ? '' : ` of ${folder}`} …`);
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
}

/** Builds dist/ unless it was built from exactly these sources. */
export function buildIfStale() {
  const stamp = join(root, 'dist/.built-from');
  const sources = hashOfSources();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  console.error('Building …');
  run(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build'], root);
  // npx makes it executable the first time only, and a build makes the file anew.
  chmodSync(join(root, 'dist/cli/main.js'), 0o755);
  writeFileSync(stamp, sources);
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node ${process.versions.node} is too old: install version 20.19 or newer`);
}

function isInstalled(folder) {
  const have = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  const wanted = Object.entries(packagesOf(join(folder, 'package-lock.json')));
  return wanted.every(
    ([path, { version, optional, devOptional }]) => path === '' || optional || devOptional || have[path]?.version === version,
  );
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {};
}

function hashOfSources() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const paths = [...files.sort().map((file) => join('src', file)), 'package-lock.json', 'tsconfig.json', 'nest-cli.json'];
  for (const path of paths) hash.update(path).update(readFileSync(resolve(root, path)));
  return hash.digest('hex');
}

function run(command, args, folder) {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ', see above'}`);
}
