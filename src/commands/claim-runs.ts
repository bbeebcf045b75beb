import { beginning, nameUuid, type AgentId, type Position, type RunId, type TaskId } from '../events/event.js';
import type { EventStore } from '../event-store/event-store.js';
import { noSuch, Rejected, type CommandContext, type Sendable } from './decider.js';
import { Exact, Int, Optional, Slug } from './fields.js';
import type { Leases, Ledger } from './ledger.js';
import { StartRun, startRun } from './run.js';
import type { RunView } from './run-view.js';

/** A worker takes queued runs of an agent, up to its own bound and the agent's. The same `requestId` gets the same leases. */
export class ClaimRuns {
  @Slug() company!: string;
  @Slug() agent!: string;
  @Exact(200) workerId!: string;
  @Exact(200) requestId!: string;
  @Optional() @Int(1, 10) max?: number;
  @Optional() @Int(5_000, 900_000) leaseMs?: number;
}

export interface ClaimedRuns {
  readonly runs: readonly { readonly run: RunView; readonly lease: { readonly token: string; readonly leaseMs: number } }[];
}

/** A queued run, as the list of them has it. */
export interface ReadyRun {
  readonly task: TaskId;
  readonly runId: RunId;
}

/** The list of queued runs. It follows the log, and may be a moment behind. */
export abstract class ReadyRuns {
  /** Resolves when the list shows everything up to `position`, holds as well. @throws ProjectionBehind after 5 s */
  abstract caughtUp(position: Position): Promise<void>;
  /**
   * Runs of the agent whose lanes are neither leased nor held, in the order in which they are to be started; at most `limit`. What the
   * agent's own status is, the list does not ask.
   */
  abstract candidates(company: string, agent: AgentId, limit: number): Promise<ReadyRun[]>;
}

export interface ClaimRequest {
  readonly company: string;
  readonly agent: AgentId;
  readonly workerId: string;
  readonly requestId: string;
  readonly leaseMs: number;
}
export interface Claim extends ReadyRun {
  readonly token: string;
  readonly leaseMs: number;
}

/** A lane has one lease at a time, an agent as many as it has slots. */
export interface ClaimLeases extends Leases {
  /** What this very request was given before, from now on for its whole time again. */
  granted(request: ClaimRequest): Promise<Claim[]>;
  /** Leases on those lanes that are free, in their order, at most `max`, and no more than leave the agent within `slots`. */
  take(request: ClaimRequest, candidates: readonly ReadyRun[], max: number, slots: number): Promise<Claim[]>;
  /** A release of what came to nothing. Who waits is not woken by it, or two who find the same would wake each other for ever. */
  giveBack(company: string, task: TaskId, token: string): Promise<void>;
  /** The worker was here, even if there is nothing for it. */
  seen(request: ClaimRequest): Promise<void>;
}

export interface ClaimPorts {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly readyRuns: ReadyRuns;
  readonly leases: ClaimLeases;
}

export const claimRuns: Sendable<ClaimRuns, ClaimedRuns> = { command: ClaimRuns };

export async function claim(command: ClaimRuns, context: CommandContext, ports: ClaimPorts, again = 2) {
  const { company, agent, workerId, requestId, max = 1, leaseMs = 30_000 } = command;
  const request = { company, agent, workerId, requestId, leaseMs };
  const known = await ports.ledger.streams.agent(company, agent, true);
  if (!known) throw noSuch('agent', agent);
  await ports.leases.seen(request);
  const before = await ports.leases.granted(request);
  // A terminated agent may take its runs: their start is what ends them.
  const isHeld = known.status === 'paused';
  const claims = before.length > 0 || isHeld ? before : await takeFree(request, max, known.policy.maxConcurrentRuns, ports);
  const started = await Promise.all(claims.map((claimed) => start(request, claimed, context, ports)));
  const runs = started.filter((run) => run !== undefined);
  // What was cancelled meanwhile must not stand before what comes after it.
  if (claims.length > 0 && runs.length === 0 && again > 0) return claim(command, context, ports, again - 1);
  const position =
    runs
      .map((run) => run.position)
      .sort()
      .at(-1) ?? beginning;
  return { answer: { runs: runs.map(({ run, lease }) => ({ run, lease })) }, position, replayed: before.length > 0 };
}

/** The lease comes first: a lane that is held by a worker without a run is freed by time, a run without a lease by nobody. */
async function takeFree(
  request: ClaimRequest,
  max: number,
  slots: number,
  { store, readyRuns, leases }: ClaimPorts,
): Promise<Claim[]> {
  await readyRuns.caughtUp(await store.head());
  const candidates = await readyRuns.candidates(request.company, request.agent, max * 2);
  return candidates.length > 0 ? leases.take(request, candidates, max, slots) : [];
}

/** Undefined when the run may not be started (any more): somebody was faster, or a gate ended it, or it is held. */
async function start(
  request: ClaimRequest,
  { task, runId, token, leaseMs }: Claim,
  context: CommandContext,
  { ledger, leases }: ClaimPorts,
) {
  const { company, workerId, requestId } = request;
  const command = Object.assign(new StartRun(), { company, run: runId, workerId, leaseMs });
  try {
    const commandId = nameUuid('start', company, workerId, requestId, runId);
    const { answer, outcome } = await ledger.handle(startRun, command, { ...context, commandId });
    // Cancelled since the first time that this was asked: there is nothing to start, and its lease ends by time.
    if (answer.started && answer.run?.status !== 'running') return undefined;
    if (answer.started && answer.run) return { run: answer.run, lease: { token, leaseMs }, position: outcome.position };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
  }
  await leases.giveBack(company, task, token);
  return undefined;
}
