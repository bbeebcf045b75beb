import { InvalidArgumentError } from 'commander';
import { variableTypes, type VariableType } from '../../events/routine.js';
import type { SentVariable } from './definition.js';

const form = /^([^:]+):([^!=]+)(!)?(?:=(.*))?$/s;

/** `name:type`, with `!` if it is required and `=default`; `name:one|other` is a choice. Those before it come first. */
export function variable(text: string, before: readonly SentVariable[] = []): SentVariable[] {
  const [, name, kind, required, otherwise] = form.exec(text) ?? [];
  if (!name || !kind)
    throw new InvalidArgumentError(
      `"${text}" is not a variable: give its name and type, such as branch:text=main or build:number!.`,
    );
  return [
    ...before,
    {
      name,
      ...typed(kind),
      required: required !== undefined,
      ...(otherwise !== undefined && { default: valueOf(otherwise, kind) }),
    },
  ];
}

function typed(kind: string): Pick<SentVariable, 'type' | 'options'> {
  if (kind.includes('|')) return { type: 'select', options: kind.split('|') };
  const type = variableTypes.find((one): one is VariableType => one === kind && one !== 'select');
  if (type) return { type };
  throw new InvalidArgumentError(
    `"${kind}" is no type: give text, textarea, number, boolean, or what may be chosen: staging|production.`,
  );
}

/** What is no number, or no boolean, goes as it is: the ledger says what it must be. */
export function valueOf(text: string, type: string): string | number | boolean {
  if (type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  return type === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text;
}

/** `name=value`. Those before it come first. */
export function given(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`"${text}" gives no variable a value: write name=value.`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
