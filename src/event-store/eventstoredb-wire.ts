import type { JSONEventData, MetadataType, RecordedEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { subjectOf, type Appended, type JsonObject, type Metadata, type Recorded, type StreamId } from '../events/event.js';
import { upcast } from '../events/upcast.js';
import { positionOfRecord } from './eventstoredb-positions.js';
import type { StoredEvent } from './stored-log.js';

/** An event of the ledger before it has a place. */
export type Unplaced = Pick<StoredEvent, 'id' | 'type' | 'schema' | 'recordedAt' | 'metadata' | 'data'>;

/** What an event of the ledger has in its metadata, under `ledger`, and no other event has. */
interface Mark {
  readonly id: string;
  readonly schema: number;
  readonly recordedAt?: string;
}

/**
 * An event as EventStoreDB is given it: type, data and metadata as they are, and in the metadata what EventStoreDB has no place for.
 * Its id there is a new one each time it is sent. EventStoreDB takes a known id at a known place for the same event, whatever is in
 * it, and says that it was written; told apart by nothing but the expected revision, of two sendings one is refused, and who sent it
 * looks what is there instead.
 */
export const toWire = ({ id, type, schema, recordedAt, metadata, data }: Unplaced): JSONEventData => ({
  id: randomUUID(),
  contentType: 'application/json',
  type,
  data,
  // As bytes, which are sent as they are.
  metadata: bytesOf(JSON.stringify({ ...metadata, ledger: { id, schema, recordedAt } })),
});

/** The client tells bytes from JSON by the very class. */
function bytesOf(text: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(text);
  return new Uint8Array(buffer, byteOffset, length);
}

/** Undefined for events of other applications and of EventStoreDB itself. */
export function fromWire({
  streamId,
  revision,
  type,
  data,
  metadata,
  position,
  created,
}: RecordedEvent): StoredEvent | undefined {
  if (position === undefined || !isOfLedger(metadata)) return undefined;
  const { ledger, ...rest } = metadata;
  return {
    position: positionOfRecord(position),
    stream: streamId,
    revision: Number(revision),
    id: ledger.id,
    type,
    schema: ledger.schema,
    recordedAt: ledger.recordedAt ?? created.toISOString(),
    metadata: rest,
    // Whatever carries the mark was written as JSON.
    data: data as JsonObject,
  };
}

/** Of others, any JSON at all may be there. */
function isOfLedger(metadata: MetadataType | null | undefined): metadata is JsonObject & { ledger: Mark & JsonObject } {
  if (typeof metadata !== 'object' || metadata === null || !('ledger' in metadata)) return false;
  const { ledger } = metadata as { ledger: Partial<Mark> | null };
  return typeof ledger?.id === 'string' && typeof ledger.schema === 'number';
}

/** In today's shape. */
export const recorded = (event: StoredEvent): Recorded => ({ ...inStream(event), position: event.position });

/** The same of an event whose position nobody has told. */
export function inStream({ stream: name, metadata, ...event }: Omit<StoredEvent, 'position'>): Appended {
  const stream = name as StreamId;
  return upcast({ ...event, stream, ...subjectOf(stream), metadata: metadata as unknown as Metadata });
}
