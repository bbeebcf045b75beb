import { blockersPolicy } from './blockers.js';
import { childrenPolicy } from './children.js';
import { holdsPolicy } from './holds.js';
import type { Policy } from './policy.js';
import { routinesPolicy } from './routines.js';
import { strandedPolicy } from './stranded.js';
import { terminationPolicy } from './termination.js';

/** The policies of the ledger. Each goes its own way through the log, none before another. */
export const policiesOfTheLedger: readonly Policy[] = [
  holdsPolicy,
  terminationPolicy,
  blockersPolicy,
  childrenPolicy,
  strandedPolicy,
  routinesPolicy,
];
