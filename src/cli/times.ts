import { sayDuration } from '../projections/say-duration.js';

/** The time of day on this machine's clock, and the day where it is not today. */
export function sayTime(iso: string | null | undefined, now = new Date()): string {
  if (!iso) return '';
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return time.toDateString() === now.toDateString()
    ? clock
    : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}

/** "12:02:05, in 5s" for what is to come. */
export function sayDue(iso: string | null | undefined, now = new Date()): string {
  const left = Date.parse(iso ?? '') - now.getTime();
  return left > 0 ? `${sayTime(iso, now)}, in ${sayDuration(left)}` : sayTime(iso, now);
}

const two = (n: number): string => String(n).padStart(2, '0');
