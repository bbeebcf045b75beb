import { resolve } from 'node:path';

/** Settings of a process that is on another machine, with a clock of its own; by how many ms that is ahead. */
export const elsewhere = (host: string, skewMs: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=${resolve('test/processes/as-elsewhere.mjs')}`,
  ELSEWHERE_HOST: host,
  ELSEWHERE_SKEW_MS: String(skewMs),
});
