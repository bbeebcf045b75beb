import type { Sendable } from '../decider.js';
import { Slug } from '../fields.js';
import type { FireView } from './fire-view.js';

/** Each slot of the routine's schedules that is due is fired, or recorded as missed. */
export class FireDueSlots {
  @Slug() company!: string;
  @Slug() routine!: string;
}
export interface FiredSlots {
  readonly fires: readonly FireView[];
  readonly missed: number;
  /** there are more than one decision goes through */
  readonly more: boolean;
}
export const fireDueSlots: Sendable<FireDueSlots, FiredSlots> = { command: FireDueSlots };
