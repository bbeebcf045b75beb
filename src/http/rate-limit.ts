/** How many requests of one address are answered: a bucket of `burst`, filled by `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const maxAddresses = 10_000;

/** A token bucket per remote address. */
export class RateLimit {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(readonly rate: Rate) {}

  admits(address: string, now = performance.now()): boolean {
    const bucket = this.buckets.get(address) ?? this.open(address, now);
    bucket.tokens = Math.min(this.rate.burst, bucket.tokens + ((now - bucket.at) / 1_000) * this.rate.perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** The address that came first gives way; if it comes again, its bucket is full. */
  private open(address: string, now: number) {
    const [oldest] = this.buckets.keys();
    if (oldest !== undefined && this.buckets.size >= maxAddresses) this.buckets.delete(oldest);
    const bucket = { tokens: this.rate.burst, at: now };
    this.buckets.set(address, bucket);
    return bucket;
  }
}
