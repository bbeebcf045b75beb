import type { Position, Recorded, StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { Checkpoint } from '../projector/checkpoint.js';

/** Where events of the old log are in the new one: a copy has each at its place in its stream. */
export class Places {
  constructor(private readonly to: EventStore) {}

  /** @throws when the new log has another event there, or none */
  async of(reader: string, { stream, revision, eventId }: Checkpoint): Promise<Position> {
    const found = stream === null || revision === null ? undefined : await this.find(stream, revision);
    if (found?.id !== eventId)
      throw new Error(`the new log has no event ${eventId}, which ${reader} came by last: it is no copy`);
    return found.position;
  }

  async ofRevision(what: string, { stream, revision }: { stream: string; revision: number }): Promise<Position> {
    const found = await this.find(stream as StreamId, revision);
    if (!found) throw new Error(`the new log has no revision ${revision} of ${stream}, which ${what} is to: it is no copy`);
    return found.position;
  }

  async ofEvent(stream: string, id: string): Promise<Position> {
    const found = (await this.to.readStream(stream as StreamId)).find((event) => event.id === id);
    if (!found) throw new Error(`the new log has no event ${id} in ${stream}: it is no copy`);
    return found.position;
  }

  private async find(stream: StreamId, revision: number): Promise<Recorded | undefined> {
    const [found] = await this.to.readStream(stream, { from: revision, to: revision });
    return found;
  }
}
