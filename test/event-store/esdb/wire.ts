import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { LogRecord } from './records.js';

/** Names are bytes on the wire. */
export const nameOf = (identifier: shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export const identifierOf = (name: string): shared.StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(name));

export const uuid = (text: string): shared.UUID => new shared.UUID().setString(text);

/** One event of a read or a subscription. */
export function eventMessage(record: LogRecord): streams.ReadResp {
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recordMessage(record));
  event.setCommitPosition(String(record.position));
  return new streams.ReadResp().setEvent(event);
}

function recordMessage(record: LogRecord): streams.ReadResp.ReadEvent.RecordedEvent {
  const message = new streams.ReadResp.ReadEvent.RecordedEvent();
  message.setId(uuid(record.id));
  message.setStreamIdentifier(identifierOf(record.stream));
  message.setStreamRevision(String(record.revision));
  message.setCommitPosition(String(record.position));
  message.setPreparePosition(String(record.position));
  message.setData(record.data);
  message.setCustomMetadata(record.metadata);
  const described = message.getMetadataMap();
  described.set('type', record.type).set('content-type', record.contentType).set('created', String(record.created));
  return message;
}
