import type { RejectedCode } from '../decider.js';

/** Of a definition that cannot be so. */
export const unfitDefinitions = [
  'routine_name_reserved',
  'cron_invalid',
  'cron_never_fires',
  'zone_unknown',
  'triggers_invalid',
  'window_invalid',
  'template_invalid',
  'variables_invalid',
  'fingerprint_path_invalid',
] as const satisfies RejectedCode[];

/** Of variables and a payload that a routine's templates cannot be filled in with. */
export const unfitValues = [
  'variables_missing',
  'variable_invalid',
  'variables_unknown',
  'title_too_long',
  'description_too_long',
] as const satisfies RejectedCode[];
