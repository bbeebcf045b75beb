import type { Event } from './event.js';
import type { LedgerEvent } from './ledger-event.js';

/**
 * From the data of one schema to that of the next. It is given what the log holds of that schema, so its parameter is of the type that
 * the event had then: `(data: AgentPausedV1) => ({ ...data, interrupt: true })`.
 */
type Step<Data extends object = object> = (data: never) => Data;
/** The first from schema 1 to 2, the next from 2 to 3; the last gives today's data. */
type Steps<Today extends object> = readonly [...Step[], Step<Today>];
export type StepsOf<E extends Event> = { readonly [Each in E as Each['type']]?: Steps<Each['data']> };

/**
 * What has become of the shapes of events. A type that is not here has the shape that it began with, schema 1; fields that were added
 * to it and may be left out need no step. A new step needs a history in `test/golden` that was written without it.
 */
const stepsOfTheLedger: StepsOf<LedgerEvent> = {};

/** An event as it was kept: of which schema it is, and where, for those who cannot read it. */
type Kept = Pick<Event, 'type' | 'data'> & { readonly schema: number; readonly stream: string; readonly revision: number };

/** Of an event whose shape this version of the ledger does not know. */
export class NewerThanKnown extends Error {
  override readonly name = 'NewerThanKnown';
}

/** How events of every schema that there was are read by those who know today's only. */
export function upcasting(table: Readonly<Record<string, readonly Step[] | undefined>>) {
  const stepsOf = new Map(Object.entries(table));
  /** The schema that events of the type are written in. */
  const schemaOf = (type: string): number => (stepsOf.get(type)?.length ?? 0) + 1;
  /** The event itself if it is of today's shape. Throws NewerThanKnown. */
  function upcast<E extends Kept>(event: E): E {
    const schema = schemaOf(event.type);
    if (event.schema === schema) return event;
    if (event.schema > schema) throw new NewerThanKnown(newer(event, schema));
    const steps = stepsOf.get(event.type)?.slice(event.schema - 1) ?? [];
    // Each step stands where it is given what it was written for.
    return { ...event, schema, data: steps.reduce((data, step) => step(data as never), event.data) };
  }
  return { schemaOf, upcast };
}

const newer = ({ stream, revision, type, schema }: Kept, today: number): string =>
  `${stream}: ${type} at revision ${revision} has the schema ${schema}, and this version of the ledger reads it up to ${today}: ` +
  'start the version that wrote it, or a newer one';

export const { schemaOf, upcast } = upcasting(stepsOfTheLedger);
