import type { Sendable } from '../decider.js';
import { FreeJson, OneOf, Optional, Slug } from '../fields.js';
import type { FireView } from './fire-view.js';

export const askedSources = ['manual', 'api', 'webhook'] as const;

/** Somebody asks for the routine's work now. `webhook` is for the ledger's own door only: it is refused to whoever is not the system. */
export class FireRoutine {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Optional() @Slug() trigger?: string;
  @Optional() @OneOf(askedSources) source?: (typeof askedSources)[number];
  /** in the place of the routine's own */
  @Optional() @Slug() agent?: string;
  @Optional() @FreeJson() variables?: Record<string, unknown>;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}
export const fireRoutine: Sendable<FireRoutine, { fire: FireView }> = { command: FireRoutine };
