// npm run dev: the server, built and started anew whenever a source file changes.
import { spawn } from 'node:child_process';
import { installIfStale, root } from './fresh.mjs';

installIfStale();
const nest = spawn(
  process.execPath,
  ['node_modules/@nestjs/cli/bin/nest.js', 'start', '--watch', '--preserveWatchOutput', '--entryFile', 'cli/main', '--', 'serve'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
// The terminal sends Ctrl-C to both; nest ends the server, and we wait for it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => nest.kill('SIGTERM'));
nest.once('exit', (code) => process.exit(code ?? 0));
