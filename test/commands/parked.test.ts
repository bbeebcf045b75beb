import { retryParkedStream, skipParkedEvent, type ParkedStream } from '../../src/commands/operations/parked.js';
import type { World } from '../../src/commands/decider.js';
import { operations } from '../../src/events/evolve-operations.js';
import { at } from '../facts.js';
import { given } from '../given.js';

const found: ParkedStream = {
  readModel: 'run_status_v1',
  stream: 'task-acme.ACME-12',
  position: '0000000000000042',
  revision: 7,
  eventId: '48039366-7088-5cb7-893e-d3632879bcae',
  error: 'TypeError: no such thing',
};
const { readModel, stream } = found;
const noon = { now: at('12:00') } as World;

describe('a retry of a parked stream', () => {
  it('is recorded with the events that were folded', () =>
    expect(retryParkedStream.decide({ readModel, stream, reason: 'mended', found, events: 3 }, operations.initial, noon)).toEqual(
      [
        {
          type: 'ParkedStreamRetried',
          data: { readModel, stream, events: 3, reason: 'mended', retriedAt: '2026-04-20T12:00:00.000Z' },
        },
      ],
    ));

  it('is refused where nothing is parked, as it is when it was retried already', () =>
    given()
      .when(retryParkedStream, { readModel, stream })
      .refuses('parked_stream_not_found', 'run_status_v1 has no parked stream task-acme.ACME-12'));
});

describe('a skip of the event that a stream is parked at', () => {
  const skip = { readModel, stream, reason: 'written by a bug' };

  it('is recorded with the event, its error and the reason', () =>
    expect(skipParkedEvent.decide({ ...skip, found, eventId: found.eventId }, operations.initial, noon)).toEqual([
      {
        type: 'ParkedEventSkipped',
        data: {
          readModel,
          stream,
          position: found.position,
          eventId: found.eventId,
          error: found.error,
          reason: 'written by a bug',
          skippedAt: '2026-04-20T12:00:00.000Z',
        },
      },
    ]));

  it('is refused where nothing is parked', () => given().when(skipParkedEvent, skip).refuses('parked_stream_not_found'));

  it('is refused where the stream is parked at another event by now', () =>
    expect(() => skipParkedEvent.decide({ ...skip, found, eventId: 'another' }, operations.initial, noon)).toThrow(
      'has parked task-acme.ACME-12 at another event: 48039366',
    ));
});
