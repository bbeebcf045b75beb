import type pg from 'pg';
import type { Position } from '../../events/event.js';
import { positionInWords } from '../../events/positions.js';
import { pause } from '../../pause.js';
import { followedReadModels, type Followed } from './followed.js';

const askEveryMs = 100;
const patienceMs = 30_000;

/**
 * Waits until all read models that are followed have come to the head of a log that grows no more, as long as a process works on those
 * that have not and they move. Answers those that are still behind, as sentences.
 */
export async function behindAtHead(db: pg.Pool, head: Position, signal: AbortSignal): Promise<string[]> {
  let [seen, movedAt] = ['', performance.now()];
  for (;;) {
    signal.throwIfAborted();
    const behind = (await followedReadModels(db)).filter(({ position }) => position !== head);
    const now = behind.map(({ readModel, position }) => `${readModel} ${position}`).join();
    if (now !== seen) [seen, movedAt] = [now, performance.now()];
    const isHopeful = behind.length > 0 && behind.every(({ owned, halted }) => owned && halted === null);
    if (!isHopeful || performance.now() - movedAt > patienceMs) return behind.map((each) => sentence(each, head));
    await pause(askEveryMs, signal);
  }
}

const sentence = ({ readModel, position, owned }: Followed, head: Position): string =>
  `${readModel} is at ${positionInWords(position)} of ${positionInWords(head)}, and ` +
  (owned ? 'does not get on' : 'no server works on it: start one with the role projector on the old store');
