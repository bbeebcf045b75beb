import { Transform } from 'class-transformer';
import { IsOptional } from 'class-validator';
import { validated } from '../commands/dispatch.js';
import { Exact, Int, Slug } from '../commands/fields.js';
import type { Exchange } from './call.js';

/** The parameters of a query, validated as a class of them says; those it does not know are refused by name. */
export const queryOf = <Q extends object>(type: new () => Q, { request }: Exchange): Q => validated(type, request.query);

/** What a read names: the parts of its path and the parameters of its query together. */
export const readOf = <Q extends object>(type: new () => Q, { request }: Exchange): Q =>
  validated(type, { ...request.query, ...request.params });

export class OfCompany {
  @Slug() company!: string;
}

/** Of every list. What cannot be read as a limit is none. */
export class ListOfCompany extends OfCompany {
  @IsOptional() limit?: string;
  @IsOptional() @Exact(2_000) cursor?: string;
}

/** A filter that may be given several times; one of its values must fit. */
export function Several(): PropertyDecorator {
  const toList = Transform(({ value }: { value: unknown }) => (value === undefined ? value : [value].flat()));
  return (target, property) => [IsOptional(), toList].forEach((decorate) => decorate(target, property));
}

/** A whole number, as text like all parameters. */
export function Count(min: number, max: number): PropertyDecorator {
  const toNumber = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
  );
  return (target, property) => [toNumber, IsOptional(), Int(min, max)].forEach((decorate) => decorate(target, property));
}
