import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { IdempotencyKeys } from '../idempotency-keys.js';

const everyMs = 60_000;
const batch = 1_000;
const mostBatches = 100;

/** Forgets keys that are older than they are kept; some at a time, so that nobody waits for it. */
@Injectable()
export class KeyExpiry implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('http');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly keys: IdempotencyKeys) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.running = this.expire()), everyMs).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async expire(): Promise<void> {
    try {
      for (let batches = 0; batches < mostBatches; batches++) if ((await this.keys.expire(batch)) < batch) return;
    } catch (error) {
      // The next minute tries again.
      this.logger.debug(`idempotency keys could not be forgotten: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
