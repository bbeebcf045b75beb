import { randomUUID } from 'node:crypto';
import { post } from './ask.js';

/** What a worker holds of a run. */
export interface Held {
  readonly run: string;
  readonly lease: string;
}

/** Asks for a run of the agent's own lane, unless `task` says another, and claims it. */
export async function heldRun(
  url: string,
  agent: string,
  { task, leaseMs }: { task?: string; leaseMs?: number } = {},
): Promise<Held> {
  await post(url, 'wakeups', { agent, task });
  return claimed(url, agent, leaseMs);
}

/** The next run of the agent that can be had within five seconds. */
export async function claimed(url: string, agent: string, leaseMs?: number): Promise<Held> {
  const { body } = await post(url, `agents/${agent}/claims?wait=5`, {
    workerId: `worker-${agent}`,
    requestId: randomUUID(),
    leaseMs,
  });
  const [{ run, lease }] = body.runs;
  return { run: run.id, lease: lease.token };
}

export const tooMany = { outcome: 'failed', exitCode: 1, error: 'HTTP 429: too many requests' } as const;

/** Has a run fail for a reason that passes; answers what follows. */
export async function failedRun(url: string, agent: string, task?: string) {
  const { run, lease } = await heldRun(url, agent, { task });
  return (await post(url, `runs/${run}/finish`, { lease, ...tooMany })).body;
}
