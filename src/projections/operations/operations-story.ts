import type { Recorded } from '../../events/event.js';
import type { Comparison, OperationsEvent } from '../../events/operations.js';
import { positionInWords } from '../../events/positions.js';

/** What operators did with the read models, as sentences like those of `story`. */
export function operationsStory(event: Recorded<OperationsEvent>): string {
  switch (event.type) {
    case 'RebuildStarted': {
      const { rebuild, beside, purpose, reason } = event.data;
      return `${rebuild} is built ${purpose === 'verify' ? 'to verify' : 'beside'} ${beside}: ${reason}`;
    }
    case 'RebuildPaused':
      return `the rebuild of ${event.data.rebuild} is paused: ${event.data.reason}`;
    case 'RebuildResumed': {
      const { rebuild, eventsPerSecond, reason } = event.data;
      return `the rebuild of ${rebuild} goes on${eventsPerSecond === null ? '' : ` with at most ${eventsPerSecond} events a second`}: ${reason}`;
    }
    case 'RebuildFilled':
      return `${event.data.rebuild} is filled: ${event.data.rows} rows of ${event.data.events} events`;
    case 'RebuildCompared':
      return `${event.data.rebuild} is compared with what is live: ${comparisonInWords(event.data)}`;
    case 'RebuildFailed':
      return `the rebuild of ${event.data.rebuild} has failed: ${event.data.error}`;
    case 'RebuildAbandoned':
      return `the rebuild of ${event.data.rebuild} is given up: ${event.data.reason}`;
    case 'ReadModelCutOver':
      return `${event.data.to} is asked instead of ${event.data.from}: ${event.data.reason}`;
    case 'ReadModelRolledBack':
      return `${event.data.to} is asked again instead of ${event.data.from}: ${event.data.reason}`;
    case 'ReadModelDropped':
      return `${event.data.readModel} is dropped: ${event.data.reason}`;
    case 'ParkedStreamRetried':
      return `${event.data.readModel} has folded ${event.data.stream} again: ${event.data.reason}`;
    case 'ParkedEventSkipped': {
      const { readModel, eventId, stream, reason } = event.data;
      return `${readModel} leaves out event ${eventId} of ${stream}: ${reason}`;
    }
    case 'ParkedReactionDropped': {
      const { policy, stream, command, reason } = event.data;
      return `policy ${policy} gives up ${command ?? 'what it was about'} on ${stream}: ${reason}`;
    }
    case 'AsOfBuilt':
      return `${event.data.projections.join(', ')} as of position ${positionInWords(event.data.position)} is in schema ${event.data.schema}: ${event.data.reason}`;
    case 'AsOfDropped':
      return `schema ${event.data.schema} is dropped: ${event.data.reason}`;
    case 'StoreSealed':
      return `log ${event.data.log} is closed for writes: ${event.data.reason}`;
    case 'StoreUnsealed':
      return `log ${event.data.log} is open for writes again: ${event.data.reason}`;
    case 'StoreMoved': {
      const { from, to, events, reason } = event.data;
      return `log ${to} goes on after ${events} events of log ${from}: ${reason}`;
    }
  }
}

export function comparisonInWords({ agrees, liveRows, onlyLive, onlyRebuilt, changed }: Comparison): string {
  const rows = `${liveRows} ${liveRows === 1 ? 'row' : 'rows'}`;
  const differences = [
    onlyLive.rows > 0 && `${onlyLive.rows} only live`,
    onlyRebuilt.rows > 0 && `${onlyRebuilt.rows} only rebuilt`,
    changed.rows > 0 && `${changed.rows} changed`,
  ].filter(Boolean);
  return agrees ? `${rows}, none of which differs where it is not meant to` : `of ${rows}, ${differences.join(', ')}`;
}
