/** What the gatherer needs to know about a write. */
export interface Gathered {
  readonly stream: string;
  readonly bytes: number;
}

export interface Call<Item, Answer> {
  /** Sends writes to different streams in one round trip; answers in their order. */
  send(items: readonly Item[]): Promise<Answer[]>;
  /** The answer for the one write that `send` could not send for its data, `undefined` if the error has another cause. */
  refusal(item: Item, error: unknown): Answer | undefined;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly done: (answer: Answer) => void;
  readonly failed: (error: unknown) => void;
}

const maxItems = 256;
const maxBytes = 1024 * 1024;

/**
 * While a call is in flight, writes queue; all of them go together in the next one, and one flush of the disk pays for all.
 * Nobody waits on a timer: a write that comes alone goes alone, at once.
 */
export class Gatherer<Item extends Gathered, Answer> {
  readonly #call: Call<Item, Answer>;
  #queue: Waiting<Item, Answer>[] = [];
  #draining: Promise<void> | undefined;

  constructor(call: Call<Item, Answer>) {
    this.#call = call;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((done, failed) => {
      this.#queue.push({ item, done, failed });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // One turn, so that writes that were added together go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#deliver(this.#take());
      // Whoever was just answered may have its next write ready: let it come along.
      await new Promise(setImmediate);
    }
    this.#draining = undefined;
  }

  /** From the front, in order; a second write to the same stream has to see the outcome of the first, so it stays. */
  #take(): Waiting<Item, Answer>[] {
    const streams = new Set<string>();
    const taken: Waiting<Item, Answer>[] = [];
    const left: Waiting<Item, Answer>[] = [];
    let bytes = 0;
    let next = 0;
    for (; next < this.#queue.length && taken.length < maxItems; next += 1) {
      const waiting = this.#queue[next]!;
      const { stream, bytes: size } = waiting.item;
      if (taken.length > 0 && bytes + size > maxBytes) break;
      (streams.has(stream) ? left : taken).push(waiting);
      if (taken.at(-1) === waiting) bytes += size;
      streams.add(stream);
    }
    this.#queue = [...left, ...this.#queue.slice(next)];
    return taken;
  }

  /** A call that fails for the data of one write is halved until that write stands alone. */
  async #deliver(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#call.send(batch.map(({ item }) => item));
      batch.forEach(({ done }, i) => done(answers[i]!));
    } catch (error) {
      const first = batch[0]!;
      const refusal = this.#call.refusal(first.item, error);
      if (refusal === undefined) return batch.forEach(({ failed }) => failed(error));
      if (batch.length === 1) return first.done(refusal);
      const half = Math.ceil(batch.length / 2);
      await this.#deliver(batch.slice(0, half));
      await this.#deliver(batch.slice(half));
    }
  }
}
