/**
 * Work side by side, but for each lane one after the other, in the order that it came in. At most `atOnce` pieces are under way, and
 * beyond the first no more than `weight` together.
 */
export class Lanes {
  readonly #atOnce: number;
  readonly #weight: number;
  readonly #ends = new Map<string, Promise<void>>();
  readonly #waiting: { weight: number; go: () => void }[] = [];
  #under = 0;
  #load = 0;

  constructor(atOnce: number, weight: number) {
    this.#atOnce = atOnce;
    this.#weight = weight;
  }

  async do<T>(lane: string, weight: number, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(lane);
    let leave = () => {};
    const end = new Promise<void>((done) => (leave = done));
    this.#ends.set(lane, end);
    if (before) await before;
    if (this.#waiting.length > 0 || !this.#fits(weight)) await new Promise<void>((go) => this.#waiting.push({ weight, go }));
    else this.#take(weight);
    try {
      return await work();
    } finally {
      this.#give(weight);
      if (this.#ends.get(lane) === end) this.#ends.delete(lane);
      leave();
    }
  }

  /** Resolves when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }

  #give(weight: number): void {
    this.#under -= 1;
    this.#load -= weight;
    this.#next();
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.weight); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(first.weight);
      first.go();
    }
  }

  #fits(weight: number): boolean {
    return this.#under === 0 || (this.#under < this.#atOnce && this.#load + weight <= this.#weight);
  }

  #take(weight: number): void {
    this.#under += 1;
    this.#load += weight;
  }
}
