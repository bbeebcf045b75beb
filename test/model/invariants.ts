import type { Rig } from './rig.js';

/** What holds at every step, whatever was asked: told from the log and the read models alone. */
export function brokenOf(rig: Rig, _isOver = false): string | undefined {
  for (const { task, violations, first_violation: first } of rig.conserved.all())
    if (violations > 0) return `${task}: demands are not conserved: ${JSON.stringify(first)}`;
  return undefined;
}
