/** What a worker was told on its command line and by its environment. */
export interface WorkerSettings {
  readonly url: string;
  readonly company: string;
  readonly token: string | undefined;
  readonly agent: string;
  readonly workerId: string;
  /** file and arguments; started once for each run, by no shell */
  readonly command: readonly string[];
  /** runs at the same time */
  readonly max: number;
  readonly timeoutMs: number;
  /** how long running commands may go on when the worker is to end */
  readonly graceMs: number;
  /** folder for logs, and for what could not be reported yet */
  readonly home: string;
  /** asked for in claims; without it, the server's default */
  readonly leaseMs?: number;
}
