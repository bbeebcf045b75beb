import { unexplained, type UnexplainedWorld } from './should-be-running.js';
import { lookAgainMs } from './why-queries.js';

/**
 * Counts work that should be running by one look at a time, for whoever looks again and again: of what a look finds it counts what each
 * look has found since one that was `lookAgainMs` ago or more. So nobody waits for a second look, and the first counts none.
 */
export class LastingUnexplained {
  private since = new Map<string, number>();

  constructor(private readonly world: UnexplainedWorld) {}

  async count(): Promise<number> {
    const now = performance.now();
    const found = (await unexplained(this.world)).map(({ company, id }) => `${company} ${id}`);
    this.since = new Map(found.map((one) => [one, this.since.get(one) ?? now]));
    return [...this.since.values()].filter((since) => now - since >= lookAgainMs).length;
  }
}
