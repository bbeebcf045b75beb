import { serverConfig } from '../../config.js';
import type { OpenLog } from '../../open-log.js';
import { Usage } from '../problem.js';

/** Opens two logs by their addresses for as long as the work takes; the first one is that of the environment where none is given. */
export async function withLogs<T>(
  from: string | undefined,
  to: string,
  work: (source: OpenLog, target: OpenLog) => Promise<T>,
): Promise<T> {
  const { isLogUrl, openLog } = await import('../../open-log.js');
  const { eventStoreUrl, databaseUrl, home } = serverConfig();
  const source = from ?? eventStoreUrl ?? databaseUrl ?? 'embedded';
  for (const url of [source, to])
    if (!isLogUrl(url)) throw new Usage(`"${url}" is no store: give postgres://…, esdb://…, esdb+discover://… or embedded`);
  const opened = await openLog({ url: source, home, prepare: false });
  try {
    const target = await openLog({ url: to, home, prepare: true });
    return await work(opened, target).finally(() => target.close());
  } finally {
    await opened.close();
  }
}

/** Of the phase that it is in, in events a second. */
export function rateOf(): (phase: string, done: number) => number {
  let began = { phase: '', done: 0, at: 0 };
  return (phase, done) => {
    if (phase !== began.phase) began = { phase, done, at: performance.now() };
    return Math.round(((done - began.done) * 1_000) / Math.max(1, performance.now() - began.at));
  };
}
