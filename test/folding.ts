import { beginning, type Position, type Recorded } from '../src/events/event.js';
import type { LedgerEvent } from '../src/events/ledger-event.js';
import type { EventStore } from '../src/event-store/event-store.js';
import type { Projection } from '../src/projections/projection.js';
import { applyChanges, changesOf, type Rows } from '../src/projections/projector/fold.js';

/** The rows of a projection, as far as it has been told. */
export class Folding<Row extends object> {
  readonly rows: Rows<Row> = new Map();

  constructor(readonly projection: Projection<Row>) {}

  follow(events: readonly Recorded<LedgerEvent>[]): void {
    for (const event of events) applyChanges(this.rows, changesOf(this.projection, event));
  }

  all(): Row[] {
    return [...this.rows.values()].filter((row) => row !== undefined);
  }
}

/** Read models that reach the head of the log whenever they are asked to, from where they were. */
export class Foldings {
  private position: Position = beginning;

  constructor(
    private readonly store: EventStore,
    private readonly foldings: readonly Pick<Folding<object>, 'follow'>[],
  ) {}

  async reachHead(): Promise<void> {
    const events = await this.store.readAll<LedgerEvent>({ after: this.position, limit: 1_000_000 });
    this.position = events.at(-1)?.position ?? this.position;
    for (const folding of this.foldings) folding.follow(events);
  }
}
