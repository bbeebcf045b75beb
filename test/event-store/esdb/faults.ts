/** How an append goes wrong: whether it is in the log nevertheless, and what its writer is told. */
export interface AppendFault {
  readonly written: boolean;
  readonly then:
    | 'silence'
    /** the connection breaks, for everybody */
    | 'cut'
    | 'deadline-exceeded'
    /** the answer, and another that nobody waits for any more: a time-out */
    | 'answered-twice'
    /** the call breaks, and with it whatever else waits for its answer in it */
    | 'unavailable'
    | 'unknown'
    | 'not-leader';
  /** how many appends go well before */
  readonly skip?: number;
  /** how many go wrong; default one */
  readonly times?: number;
  /** where the leader is, for `not-leader` */
  readonly leader?: number;
}

/** How a read goes wrong, after some of its events or before the first. */
export interface ReadFault {
  readonly then: 'silence' | 'cut' | 'unavailable' | 'unknown';
  readonly afterEvents?: number;
  readonly skip?: number;
  readonly times?: number;
}

/** What a test has told the server to do wrong, in the order in which it will. */
export class Faults {
  /** Answers of appends and of reads wait for so long; what is asked takes effect at once. */
  delayMs = 0;
  readonly appends = new Planned<AppendFault>();
  readonly reads = new Planned<ReadFault>();
  /** How many events readers were sent. */
  eventsRead = 0;

  /** Everything goes well from now on. */
  clear(): void {
    this.delayMs = 0;
    this.appends.clear();
    this.reads.clear();
  }

  async delay(): Promise<void> {
    if (this.delayMs > 0) await new Promise((done) => setTimeout(done, this.delayMs));
  }
}

class Planned<F extends { readonly skip?: number; readonly times?: number }> {
  private readonly planned: (F | undefined)[] = [];

  plan(fault: F): void {
    for (let i = 0; i < (fault.skip ?? 0); i += 1) this.planned.push(undefined);
    for (let i = 0; i < (fault.times ?? 1); i += 1) this.planned.push(fault);
  }

  /** For the next call; undefined when it shall go well. */
  next(): F | undefined {
    return this.planned.shift();
  }

  clear(): void {
    this.planned.length = 0;
  }
}
