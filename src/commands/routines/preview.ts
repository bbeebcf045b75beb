import type { JsonObject } from '../../events/event.js';
import type { RoutineDefinition } from '../../events/routine.js';
import { FreeJson, Optional } from '../fields.js';
import { bounded, processText } from '../free-json.js';
import { redact, redactText } from '../redact.js';
import { fingerprintOf } from './fingerprint.js';
import { filledIn, type Given } from './templates.js';
import { withVariables } from './variables.js';

/** What a fire would be given. */
export class PreviewRoutine {
  @Optional() @FreeJson() variables?: Record<string, unknown>;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}

/** What a fire would make, as its task would show it. */
export interface Preview {
  readonly title: string;
  readonly description: string | null;
  /** null: the routine has no agent yet, and nothing can be fired */
  readonly fingerprint: string | null;
  readonly variables: JsonObject;
  /** the sender's, with `variables` inside */
  readonly payload: JsonObject;
}

/** Of a task: with the marks of many redacted secrets, a title is longer than it was. */
const longestTitle = 500;

/** Refuses what a fire would be refused for, all that is wrong with the values at once. Nothing is written. */
export function preview(
  { agent, fingerprintIgnore, ...definition }: Pick<RoutineDefinition, PreviewedField>,
  given: Given,
): Preview {
  const { title, description, variables } = filledIn(definition, given);
  const payload = withVariables(given.payload, variables);
  return {
    title: processText(redactText(title), longestTitle),
    description: description && redactText(description),
    fingerprint: agent && fingerprintOf({ payload, agent, title, description }, fingerprintIgnore),
    variables: bounded(redact(variables)),
    payload: bounded(redact(payload)),
  };
}

type PreviewedField = 'title' | 'description' | 'variables' | 'agent' | 'fingerprintIgnore';
