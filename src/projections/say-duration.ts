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
