/** Tells waiting readers that there may be more to read. Counted, so that what happens while they read is not missed. */
export class Changes {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  announce(): void {
    this.#count += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves once the count is beyond `seen`, after `ms` at the latest, and at once when `signal` is aborted. */
  beyond(seen: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#count > seen || signal.aborted) return Promise.resolve();
    return new Promise((done) => {
      const wake = () => {
        this.#waiting.delete(wake);
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        done();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }
}
