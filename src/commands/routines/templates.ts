import type { JsonObject } from '../../events/event.js';
import type { RoutineDefinition } from '../../events/routine.js';
import { repairedText } from '../free-json.js';
import { builtIn, refuseIfAny, resolved, unfitVariables, type Complaint } from './variables.js';

/** What a fire fills into the templates. */
export interface Given {
  /** by a caller who knows the routine: a name that is none of its variables is refused */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** a value under `variables` in it counts where the caller gave none; names there that are no variables do not matter */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** the slot, or else the moment of the firing */
  readonly at: Date;
}

export interface FilledIn {
  /** one line */
  readonly title: string;
  readonly description: string | null;
  /** the values that there are, by name */
  readonly variables: JsonObject;
}

type Templates = Pick<RoutineDefinition, 'title' | 'description'>;

/**
 * Every `{{…}}` of title and description is a placeholder, and names a variable or `date`. A text with braces of its own can
 * come out of a variable's default: what was filled in is never filled in again.
 */
export function refuseUnfitTemplates({
  variables,
  triggers,
  ...templates
}: Templates & Pick<RoutineDefinition, 'variables' | 'triggers'>): void {
  const names = [...new Set([builtIn, ...variables.map(({ name }) => name)])];
  refuseIfAny([
    ...unfitVariables(variables, triggers),
    ...unknownPlaceholders(templates, names),
    ...tooLong(partsOf(templates, new Map())),
  ]);
}

/**
 * The templates with everything filled in, or all that is wrong in one refusal. Nothing is redacted yet, so that a fingerprint
 * of it tells one secret from another.
 */
export function filledIn(
  { variables, ...templates }: Templates & Pick<RoutineDefinition, 'variables'>,
  { variables: given = {}, payload = {}, at }: Given,
): FilledIn {
  const { values, complaints } = resolved(variables, given, payload.variables);
  refuseIfAny(complaints);
  const words = new Map(Object.entries({ ...values, [builtIn]: at.toISOString().slice(0, 10) }));
  const { title, description } = partsOf(templates, words);
  refuseIfAny(tooLong({ title, description }));
  return {
    title: repairedText(title.join('').replace(control, ' ')),
    description: description && repairedText(description.join('')),
    variables: values,
  };
}

const placeholder = /\{\{([^{}]*)\}\}/g;
/** What would break a line, or a terminal. */
const control = /[\p{Cc}\u2028\u2029]/gu;
const longest = { title: 200, description: 16_384 };

interface Parts {
  readonly title: readonly string[];
  readonly description: readonly string[] | null;
}

/** Put together only when it is known how long it will be: a few placeholders can make gigabytes of one value. */
const partsOf = ({ title, description }: Templates, words: ReadonlyMap<string, unknown>): Parts => ({
  title: parts(title, words),
  description: description === null ? null : parts(description, words),
});

/** In what `split` gives, every second is a placeholder's inside. */
const parts = (template: string, words: ReadonlyMap<string, unknown>): string[] =>
  template.split(placeholder).map((part, at) => (at % 2 === 0 ? part : String(words.get(part.trim()) ?? '')));

function unknownPlaceholders({ title, description }: Templates, names: readonly string[]): Complaint[] {
  const placed = [title, description ?? ''].flatMap((template) => [...template.matchAll(placeholder)]);
  const unknown = new Set(placed.map(([, inside = '']) => inside.trim()).filter((name) => !names.includes(name)));
  if (unknown.size === 0) return [];
  const named = [...unknown].slice(0, 20).map((name) => `{{${name.slice(0, 64)}}}`);
  return [
    {
      code: 'template_invalid',
      sentence: `title or description has ${named.join(', ')} in it: define a variable for each, or use what there is: ${names.join(', ')}`,
    },
  ];
}

function tooLong({ title, description }: Parts): Complaint[] {
  const length = (text: readonly string[]) => text.reduce((sum, part) => sum + part.length, 0);
  const lengths = { title: length(title), description: length(description ?? []) };
  return (['title', 'description'] as const)
    .filter((field) => lengths[field] > longest[field])
    .map((field) => ({
      code: `${field}_too_long`,
      sentence: `the ${field} is ${lengths[field]} characters long when it is filled in: at most ${longest[field]} will do`,
    }));
}
