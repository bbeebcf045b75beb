/**
 * Why something stands where it stands. Of what waits: what keeps it. Of what is over: how it ended, and why nothing follows, or what does.
 */
export type ReasonCode =
  /** a read model that the answer, or whoever goes on with the work, starts from is behind the log */
  | 'PROJECTION_LAG'
  | 'AGENT_TERMINATED'
  | 'AGENT_PAUSED'
  | 'COMPANY_HELD'
  | 'TASK_HELD'
  | 'TASK_CLOSED'
  /** the task is another agent's by now */
  | 'TASK_REASSIGNED'
  /** the task is nobody's */
  | 'UNASSIGNED'
  /** of a task that waits for others, one for each; or for a person who said that it is blocked */
  | 'BLOCKED_BY'
  | 'DUE_LATER'
  | 'PROMOTER_STOPPED'
  /** another run goes first: on the same task, or of the same agent */
  | 'BEHIND_RUN'
  /** a worker has the lane, and no run of it runs: it is about to start one, or has not said that it stopped one */
  | 'LEASE_HELD'
  | 'AGENT_CONCURRENCY'
  | 'NO_WORKER'
  /** nothing keeps it, and it is a matter of moments */
  | 'READY'
  /** nothing has kept it for 10 s: a defect of the ledger */
  | 'SHOULD_BE_RUNNING'
  | 'RUNNING'
  /** it runs by the log, and its worker has not been heard of for a whole lease */
  | 'LEASE_LOST'
  | 'COALESCED_INTO'
  | 'SKIPPED'
  | 'SUPERSEDED'
  /** of a fire: its routine is paused, its trigger switched off, or it is not its time */
  | 'ROUTINE_SUPPRESSED'
  /** of a fire: whoever would finish it is not there */
  | 'POLICIES_STOPPED'
  /** of a fire: whoever would finish it has tried in vain */
  | 'REACTION_PARKED'
  | 'EXHAUSTED'
  | 'NON_RETRYABLE'
  | 'DONE'
  /** nothing was asked for yet */
  | 'NOTHING_ASKED';

export interface Reason {
  readonly code: ReasonCode;
  readonly sentence: string;
  /** ISO 8601 */
  readonly since: string;
  /** who or what */
  readonly clearedBy?: string;
  /** when that is known to come by itself; ISO 8601 */
  readonly clearsAt?: string;
  /** the command that would, with what only the reader can know in <> */
  readonly action?: string;
}

/** The one that has to go first comes first. */
export interface Why {
  /** of the run, the task, the demand or the fire that was asked about */
  readonly status: string;
  readonly reasons: readonly Reason[];
  /** how many are left out */
  readonly more?: number;
}

const most = 20;

/** What is so for several runs of a task is said once. */
export function whyOf(status: string, reasons: readonly Reason[]): Why {
  const different = [...new Map(reasons.map((reason) => [`${reason.code} ${reason.sentence}`, reason])).values()];
  const rest = different.length - most;
  return { status, reasons: different.slice(0, most), ...(rest > 0 && { more: rest }) };
}
