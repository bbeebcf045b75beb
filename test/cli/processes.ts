import { spawnSync } from 'node:child_process';

/** Whether a process does anything any more; a zombie that nobody has waited for does not. */
export function isRunning(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && !stdout.trim().startsWith('Z');
}
