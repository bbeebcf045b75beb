import { sql } from 'kysely';
import { unexplainedMs } from './queued.js';

const ms = sql`${unexplainedMs} * interval '1 ms'`;

/**
 * Of a row of `processes`: it was there when what waits began to be a defect, and has been heard of since. One that has only just begun
 * has the work of its absence before it; one that was killed is not known to be gone at once.
 */
export const isSteady = sql`(started_at < clock_timestamp() - ${ms} and seen_at > clock_timestamp() - ${ms})`;
