const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const longest = 366 * 86_400_000;

/** "30m", "1h30m", "250ms" in milliseconds. Throws a sentence when it cannot be read as one. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
  if (parts.map(([part]) => part).join('') !== text || parts.length === 0) {
    throw new Error(`"${text}" is not a duration: give a number with its unit, such as 250ms, 30s, 5m, 1h30m or 2d`);
  }
  if (total > longest) throw new Error(`"${text}" is too long: give at most 366d`);
  return Math.round(total);
}

/** "3s,6s,10s" in milliseconds. */
export const parseDurations = (text: string): number[] => text.split(',').map((part) => parseDuration(part.trim()));
