import { sql } from 'kysely';
import type { ReadModelName } from '../../events/operations.js';
import type { ReadModels } from '../read-models.js';
import { isOpen, RebuildQueries, type RebuildView } from './rebuild-queries.js';
import { rebuilds } from './rebuilds.js';
import { sayDuration } from '../say-duration.js';

interface There {
  readonly projection: string;
  readonly version: number;
  readonly readModel: ReadModelName;
  readonly filling: boolean;
  readonly live: boolean;
}

/**
 * What an operator should know of the versions of read models, a sentence each: which version waits for a rebuild, what is being built and
 * how far, what is followed and not asked, and what is asked that this process does not know.
 */
export async function versionNotes(readModels: ReadModels): Promise<string[]> {
  const there = await allThere(readModels);
  const views = there.some(({ projection }) => projection === rebuilds.name) ? await new RebuildQueries(readModels).list() : [];
  const open = views.filter(isOpen);
  const names = [
    ...new Set([...readModels.known.map(({ name }) => name), ...there.map(({ projection }) => projection)]),
  ].toSorted();
  return names.flatMap((name) => {
    const own = there.filter(({ projection }) => projection === name);
    const ofName = open.filter(({ projection }) => projection === name);
    const live = own.find((each) => each.live);
    return [...(live ? askedNotes(live, ofName, readModels) : []), ...ofName.map(openNote), ...otherNotes(own, views, live)];
  });
}

async function allThere({ kysely }: ReadModels): Promise<There[]> {
  const { rows } = await sql<There>`
    select checkpoint.projection, checkpoint.version, read_model as "readModel", filling, live.read_model is not null as live
    from checkpoints checkpoint
    left join projection_versions live using (read_model)
    order by checkpoint.projection, checkpoint.version, generation`.execute(kysely);
  return rows;
}

function askedNotes({ projection, version, readModel }: There, open: readonly RebuildView[], { known }: ReadModels): string[] {
  const versions = known.filter(({ name }) => name === projection).map((each) => each.version);
  if (versions.length > 0 && !versions.includes(version))
    return [
      `${projection}: version ${version} is asked (${readModel}), and this server does not know it: it asks a former version`,
    ];
  const newest = Math.max(...versions);
  if (newest <= version || open.some((rebuild) => rebuild.version === newest)) return [];
  return [
    `${projection}: version ${newest} is in this server, version ${version} is asked: run \`ledger projections rebuild ${projection}\``,
  ];
}

function openNote(rebuild: RebuildView): string {
  const { id, projection, phase, paused, comparison } = rebuild;
  switch (phase) {
    case 'ready':
      return `${projection}: ${id} agrees with ${rebuild.beside} and is ready: cut over to it, or abandon it`;
    case 'different': {
      const { onlyLive, onlyRebuilt, changed } = comparison!;
      return `${projection}: ${onlyLive.rows + onlyRebuilt.rows + changed.rows} rows of ${id} differ from ${rebuild.beside}: look at them, or abandon it`;
    }
    default:
      return `${projection}: ${id} ${paused ? 'is paused' : doing[phase] + howFar(rebuild)}`;
  }
}

const doing: Partial<Record<RebuildView['phase'], string>> = {
  filling: 'is being filled',
  indexing: 'is given its indexes',
  catching_up: 'catches up',
  comparing: 'is being compared',
};

function howFar({ progress }: RebuildView): string {
  if (!progress) return '';
  const { done, total, etaSeconds, trouble } = progress;
  const left = etaSeconds === null || etaSeconds === 0 ? '' : `, ${sayDuration(etaSeconds * 1_000)} left`;
  return `${total > 0 ? `: ${done} of ${total} events${left}` : ''}${trouble ? `; ${trouble}` : ''}`;
}

function otherNotes(own: readonly There[], views: readonly RebuildView[], live: There | undefined): string[] {
  return own
    .filter((each) => !each.live && !each.filling)
    .flatMap(({ projection, readModel }) => {
      const rebuild = views.find(({ id }) => id === readModel);
      if (rebuild && isOpen(rebuild)) return [];
      if (rebuild?.phase === 'live')
        return [`${projection}: ${readModel} is asked as soon as it is not behind ${live?.readModel ?? 'what was asked before'}`];
      return [`${projection}: ${readModel} is followed and not asked: drop it when nobody will roll back to it`];
    });
}
