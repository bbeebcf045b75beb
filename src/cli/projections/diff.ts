import { isOfVersion, readModelName, type Comparison, type DifferenceSample } from '../../events/operations.js';
import { positionInWords } from '../../events/positions.js';
import type { RebuildView } from '../../projections/operations/rebuild-queries.js';
import type { Output } from '../output.js';
import { Ended, exitCodes } from '../problem.js';
import { count } from '../count.js';

/** What a rebuild has come to, and the command that is to be typed next. Ends with 7 when there are differences, with 1 when it failed. */
export function tellEnd(output: Output, rebuild: RebuildView): void {
  if (output.format === 'table') tellPerson(output, rebuild);
  else output.did(rebuild, '');
  if (rebuild.phase === 'failed' || rebuild.phase === 'abandoned') throw new Ended(exitCodes.failure);
  if (rebuild.comparison && !rebuild.comparison.agrees) throw new Ended(exitCodes.drift);
}

function tellPerson(output: Output, rebuild: RebuildView): void {
  if (rebuild.comparison) tellComparison(output, rebuild, rebuild.comparison);
  output.line(conclusion(rebuild));
}

function conclusion({ id, projection, version, beside, phase, purpose, error, comparison }: RebuildView): string {
  switch (phase) {
    case 'ready':
      return `next: ledger projections cut-over ${projection}`;
    case 'verified':
      return `✓ the ${count(comparison!.liveRows)} rows of ${beside} are what the log folds to`;
    case 'different':
      if (purpose === 'verify')
        return `✗ the rows of ${beside} are not what the log folds to; next: ledger projections rebuild ${projection} --version ${version}`;
      return isOfVersion(beside, readModelName(projection, version))
        ? `✗ the rows of ${beside} are not what the log folds to; to repair them: ledger projections cut-over ${projection} --accept-differences`
        : `✗ ${id} differs where it is not meant to; name the columns that are in its definition, and: ledger projections abandon ${projection}`;
    case 'live':
      return `${id} is asked; ledger projections rollback ${projection} asks again what was asked before`;
    case 'former':
      return `${id} is followed, and was asked before; next: ledger projections cut-over ${id}`;
    case 'failed':
      return `✗ ${id} has failed, and ${beside} was not touched: ${error}`;
    case 'abandoned':
      return `${id} was given up`;
    case 'dropped':
      return `${id} was dropped`;
    default:
      return `${id} is at work: ledger projections watch ${id}`;
  }
}

interface Difference {
  readonly kind: string;
  readonly key: string;
  readonly column?: string;
  readonly live?: string;
  readonly rebuilt?: string;
}

/** The read model that is asked beside another one, row by row. */
export function tellComparison(output: Output, { id, beside }: Pick<RebuildView, 'id' | 'beside'>, comparison: Comparison): void {
  const { position, liveRows, rebuiltRows, onlyLive, onlyRebuilt, changed, columns } = comparison;
  output.line(`${beside} (live) and ${id} (rebuilt) at position ${positionInWords(position)}:`);
  output.list(
    { items: [{ liveRows, rebuiltRows, onlyLive: onlyLive.rows, onlyRebuilt: onlyRebuilt.rows, changed: changed.rows }] },
    [
      ['live rows', (so) => count(so.liveRows)],
      ['rebuilt rows', (so) => count(so.rebuiltRows)],
      ['only live', (so) => count(so.onlyLive)],
      ['only rebuilt', (so) => count(so.onlyRebuilt)],
      ['changed', (so) => count(so.changed)],
    ],
  );
  tellColumnsOfOneSide(output, comparison);
  if (columns.length > 0)
    output.list({ items: columns }, [
      ['column', ({ column }) => column],
      ['rows that differ', ({ rows }) => count(rows)],
      ['meant to', ({ meant }) => (meant ? 'yes' : 'no')],
    ]);
  const samples = samplesOf(comparison);
  if (samples.length > 0)
    output.list({ items: samples }, [
      ['for example', ({ kind }) => kind],
      ['key', ({ key }) => key],
      ['column', ({ column }) => column],
      ['live', ({ live }) => live],
      ['rebuilt', ({ rebuilt }) => rebuilt],
    ]);
}

function tellColumnsOfOneSide(output: Output, { onlyLiveColumns, onlyRebuiltColumns }: Comparison): void {
  if (onlyLiveColumns.length > 0) output.line(`not compared, only live: ${onlyLiveColumns.join(', ')}`);
  if (onlyRebuiltColumns.length > 0) output.line(`not compared, only rebuilt: ${onlyRebuiltColumns.join(', ')}`);
}

const samplesOf = ({ onlyLive, onlyRebuilt, changed }: Comparison): Difference[] => [
  ...onlyLive.samples.map(({ key }) => ({ kind: 'only live', key: key.join(' ') })),
  ...onlyRebuilt.samples.map(({ key }) => ({ kind: 'only rebuilt', key: key.join(' ') })),
  ...changed.samples.flatMap(changedColumns),
];

const changedColumns = ({ key, columns = [] }: DifferenceSample): Difference[] =>
  columns.map(({ column, live, rebuilt }) => ({
    kind: 'changed',
    key: key.join(' '),
    column,
    live: live ?? 'null',
    rebuilt: rebuilt ?? 'null',
  }));
