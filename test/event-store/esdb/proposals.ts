import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Expectation } from './expectations.js';
import type { Proposed } from './records.js';
import { nameOf } from './wire.js';

type ProposedMessage = streams.AppendReq.ProposedMessage | streams.BatchAppendReq.ProposedMessage;

/** What is asked, whichever way it came. */
export interface Append {
  readonly stream: string;
  readonly expected: Expectation;
  readonly events: readonly Proposed[];
  /** the client has given it up by then */
  readonly deadline: Date | undefined;
}

export function appendOf(
  options: streams.BatchAppendReq.Options | streams.AppendReq.Options,
  proposed: readonly ProposedMessage[],
): Append {
  return {
    stream: nameOf(options.getStreamIdentifier()),
    expected: expectationOf(options),
    events: proposed.map(proposedOf),
    deadline: options instanceof streams.BatchAppendReq.Options ? options.getDeadline()?.toDate() : undefined,
  };
}

function expectationOf(options: streams.BatchAppendReq.Options | streams.AppendReq.Options): Expectation {
  if (options.hasNoStream()) return 'no-stream';
  if (options.hasStreamExists()) return 'stream-exists';
  if (options.hasAny()) return 'any';
  return BigInt(options instanceof streams.BatchAppendReq.Options ? options.getStreamPosition() : options.getRevision());
}

const proposedOf = (message: ProposedMessage): Proposed => ({
  id: (message.getId()?.getString() ?? '').toLowerCase(),
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});
