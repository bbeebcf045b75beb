import { beginning, type Position } from '../events/event.js';

const digits = 16;

/** Positions of the memory and Postgres engines are 1, 2, 3 … written with leading zeros, so that `<` on strings sorts them. */
export const positionOf = (place: number | string): Position =>
  Number(place) === 0 ? beginning : String(place).padStart(digits, '0');

/** 0 for `beginning`. */
export function placeOf(position: Position): number {
  if (position === beginning) return 0;
  if (!/^\d{16}$/.test(position))
    throw new RangeError(`"${position}" is not a position of this store: use one that it handed out`);
  return Number(position);
}

/** Milliseconds since 1970 of a time in ISO 8601. */
export function epochMs(time: string): number {
  const at = Date.parse(time);
  if (Number.isNaN(at)) throw new RangeError(`"${time}" is not a time: use ISO 8601, such as 2026-04-20T12:02:00.000Z`);
  return at;
}
