import type { JsonObject } from '../events/event.js';
import { canonicalJson } from '../events/canonical-json.js';
import type { StoredEvent } from '../event-store/stored-log.js';
import { leafHash, sha256 } from './merkle.js';

/** What a leaf says of an event. `dataHash` stands for its data, so that these may be gone one day without a proof being lost. */
export type Witnessed = Omit<StoredEvent, 'data'> & { readonly dataHash: string };

/** SHA-256 of the canonical JSON (RFC 8785) of an event's data, in hex. */
export const dataHashOf = (data: JsonObject): string => sha256(canonicalJson(data)).toString('hex');

export function witnessed({ data, ...event }: StoredEvent): Witnessed {
  return { ...event, dataHash: dataHashOf(data) };
}

/**
 * The leaf of an event: the hash of RFC 6962 over the UTF-8 text of the canonical JSON (RFC 8785) of exactly these nine fields,
 * `{"dataHash":"…","id":"…","metadata":{…},"position":"0000000000000042","recordedAt":"…","revision":3,"schema":1,"stream":"…","type":"…"}`.
 */
export const leafOf = ({ dataHash, id, metadata, position, recordedAt, revision, schema, stream, type }: Witnessed): Buffer =>
  leafHash(canonicalJson({ dataHash, id, metadata, position, recordedAt, revision, schema, stream, type }));
