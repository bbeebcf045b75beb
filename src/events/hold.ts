/** Of an agent that is paused, a task that is held, a company that is held: what waits stays where it is. */
export interface Hold {
  readonly reason: string;
  /** what runs is handed back, not only what comes next held */
  readonly interrupt: boolean;
  readonly since: string;
}
