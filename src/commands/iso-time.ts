/** A date and a time of day with a zone, as RFC 3339 has them: `2026-04-20T12:00:00Z`, `2026-04-20T14:00:00.5+02:00`. */
export const isoTimePattern =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Ms since 1970, or NaN for what is no such time or names a day that its month has not. */
export function readIsoTime(text: string): number {
  return isoTimePattern.test(text) && isDay(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10)))
    ? Date.parse(text)
    : NaN;
}

/** JavaScript takes 30 February for 2 March. `month` is 1–12. */
export const isDay = (year: number, month: number, day: number): boolean => day >= 1 && day <= lastDay(year, month);

const lastDay = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
