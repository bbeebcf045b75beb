import type pg from 'pg';
import { isUnderWay, type Operations } from '../../events/operations.js';
import type { AnyProjection } from '../projection.js';
import { definitionOf, type Followed } from './followed.js';

/** What keeps read models from being built anew from another log, each with what helps; none is best. */
export async function obstacles(
  db: pg.Pool,
  followed: readonly Followed[],
  state: Operations,
  projections: readonly AnyProjection[],
): Promise<string[]> {
  return [
    ...followed.filter((each) => !definitionOf(projections, each)).map(strange),
    ...followed.flatMap(stuck),
    ...Object.values(state.readModels)
      .filter(isUnderWay)
      .map(({ name, projection }) => `${name} is being rebuilt: cut over to it, or ledger projections abandon ${projection}`),
    ...(await asOfSchemas(db)),
  ];
}

const strange = ({ readModel, name, version }: Followed): string =>
  `${readModel} is followed, and this version of the ledger cannot fold version ${version} of ${name}: ` +
  `use the one that the servers run, or ledger projections drop ${name} ${readModel}`;

function stuck({ readModel, name, halted, parkedStreams }: Followed): string[] {
  const sentences: string[] = [];
  if (halted !== null) sentences.push(`${readModel} does not go on: ${halted}`);
  if (parkedStreams > 0)
    sentences.push(`${readModel} has left ${parkedStreams} streams aside: mend them, see ledger projections parked ${name}`);
  return sentences;
}

/** Their rows and their place are of the old log; by a time, they can be built again from the new one. */
async function asOfSchemas(db: pg.Pool): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select schema_name as name from as_of_schemas order by schema_name');
  return rows.map(
    ({ name }) =>
      `schema ${name} holds read models as of a position of the old log: ledger projections as-of drop ${name}, and build it again ` +
      `when the ledger has moved`,
  );
}
