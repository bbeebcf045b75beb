import { buildAsOf, dropAsOf } from '../../src/commands/operations/as-of.js';
import type { World } from '../../src/commands/decider.js';
import { operations } from '../../src/events/evolve-operations.js';
import type { AsOfBuilt, AsOfDropped } from '../../src/events/operations.js';
import { at } from '../facts.js';
import { given } from '../given.js';

const position = '0000000000000042';
const built: AsOfBuilt = {
  type: 'AsOfBuilt',
  data: { schema: 'april', projections: ['tasks'], position, reason: 'audit', builtAt: '2026-04-20T12:00:00.000Z' },
};
const dropped: AsOfDropped = {
  type: 'AsOfDropped',
  data: { schema: 'april', reason: 'done', droppedAt: '2026-04-20T13:00:00.000Z' },
};
const asked = { schema: 'april', projection: 'dashboard', position, reason: 'audit' };

describe('read models as they were', () => {
  const record = (projections: readonly string[]) =>
    buildAsOf.decide({ ...asked, built: projections }, operations.evolve(operations.initial, built), {
      now: at('12:00'),
    } as World);

  it('are recorded when they are there, each once', () => {
    given().when(buildAsOf, asked).thenNothing();
    expect(record(['dashboard', 'tasks'])).toMatchObject([{ type: 'AsOfBuilt', data: { projections: ['dashboard'], position } }]);
    expect(record(['tasks'])).toEqual([]);
  });

  it('are refused in a schema that is of another position', () =>
    given(built)
      .when(buildAsOf, { ...asked, position: '0000000000000043' })
      .refuses('as_of_schema_taken', 'april has tasks as of position 42, not 43: drop it first, or take another name'));

  it('may be as of another position in a schema that was dropped', () =>
    given(built, dropped)
      .when(buildAsOf, { ...asked, position: '0000000000000043' })
      .thenNothing());

  it('may be called like what every object has', () => {
    given()
      .when(buildAsOf, { ...asked, schema: 'constructor' })
      .thenNothing();
    given().when(dropAsOf, { schema: 'constructor' }).refuses('as_of_schema_not_found', 'there is no schema constructor');
  });

  it.each(['pg_x', 'run_status_v1', 'run_status_v1_g2', 'april_building', 'April', '2026', 'a-b', 'x'.repeat(51), ''])(
    'are not put into "%s"',
    (schema) => expect(() => given().when(buildAsOf, { ...asked, schema })).toThrow('schema is'),
  );
});

describe('a schema of read models as they were', () => {
  it('is dropped', () =>
    given(built)
      .when(dropAsOf, { schema: 'april', reason: 'done' })
      .then({ type: 'AsOfDropped', data: { reason: 'done' } }));
  it('is dropped once', () => given(built, dropped).when(dropAsOf, { schema: 'april' }).thenNothing());
  it('is not dropped where there never was one', () =>
    given(built)
      .when(dropAsOf, { schema: 'may' })
      .refuses('as_of_schema_not_found', 'there is no schema may of read models as they were; there are april'));
});
