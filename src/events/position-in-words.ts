import type { Position } from './event.js';

/** As a sentence says it: without the zeros before it. */
export const positionInWords = (position: Position): string => position.replace(/^0+(?=\d)/, '') || 'the beginning';
