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

/** As a person would say it, with at most two units: "1h30m", "12s", "250ms". */
export function sayDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const said = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return said.map(([amount, unit]) => `${amount}${unit}`).join('');
}
