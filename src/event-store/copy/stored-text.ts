import { canonicalJson } from '../../events/canonical-json.js';
import type { StoredEvent } from '../stored-log.js';

/** What a copy keeps of an event, besides its stream and its place among all. */
const kept = ['revision', 'id', 'type', 'schema', 'data', 'metadata', 'recordedAt'] as const;

/** All that a copy keeps of an event of a stream, as the one text that it has in any engine: RFC 8785. */
export const storedText = ({ revision, id, type, schema, data, metadata, recordedAt }: StoredEvent): string =>
  canonicalJson({ revision, id, type, schema, data, metadata, recordedAt });

/** The fields in which two events differ. */
export const differingFields = (one: StoredEvent, other: StoredEvent): string[] =>
  (['stream', ...kept] as const).filter((field) => canonicalJson(one[field]) !== canonicalJson(other[field]));
