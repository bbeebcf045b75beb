import type { Stream } from './event.js';
import {
  generationOf,
  used,
  type AsOfBuilt,
  type ChangeOfLive,
  type KnownReadModel,
  type Operations,
  type OperationsEvent,
  type Rebuild,
  type RebuildCompared,
  type RebuildStarted,
  type ReadModelName,
  type StoreMoved,
  type Successor,
} from './operations.js';

export const operations: Stream<Operations, OperationsEvent> = {
  initial: { live: {}, readModels: {}, generations: {}, asOf: {}, sealed: null, movedTo: null },
  evolve: evolveOperations,
};

function evolveOperations(state: Operations, event: OperationsEvent): Operations {
  switch (event.type) {
    case 'RebuildStarted':
      return started(state, event.data);
    case 'RebuildPaused':
      return rebuilding(state, event.data, { paused: true });
    case 'RebuildResumed':
      return rebuilding(state, event.data, { paused: false, eventsPerSecond: event.data.eventsPerSecond });
    case 'RebuildFilled':
      return rebuilding(state, event.data, { status: 'filled' });
    case 'RebuildCompared':
      return compared(state, event.data);
    case 'RebuildFailed':
    case 'RebuildAbandoned':
      return without(state, event.data.rebuild);
    case 'ReadModelCutOver':
      return asked(state, event.data, event.data.from);
    case 'ReadModelRolledBack':
      return asked(state, event.data, state.readModels[event.data.to]?.before ?? null);
    case 'ReadModelDropped':
      return without(state, event.data.readModel);
    case 'ParkedStreamRetried':
    case 'ParkedEventSkipped':
    case 'ParkedReactionDropped':
      return state;
    case 'AsOfBuilt':
      return builtAsOf(state, event.data);
    case 'AsOfDropped':
      return { ...state, asOf: { ...state.asOf, [event.data.schema]: null } };
    case 'StoreSealed':
      return { ...state, sealed: event.data };
    case 'StoreUnsealed':
      return { ...state, sealed: null };
    case 'StoreMoved':
      return moved(state, event.data);
  }
}

function builtAsOf(state: Operations, { schema, position, projections }: AsOfBuilt['data']): Operations {
  const before = state.asOf[schema]?.projections ?? [];
  return { ...state, asOf: { ...state.asOf, [schema]: { position, projections: [...new Set([...before, ...projections])] } } };
}

function started(state: Operations, { rebuild: name, projection, beside, ...data }: RebuildStarted['data']): Operations {
  const { version, generation, purpose, eventsPerSecond, startedBy, startedAt } = data;
  const status = { status: 'filling', paused: false, differences: 0 } as const;
  const rebuild = { version, generation, beside, purpose, eventsPerSecond, startedBy, startedAt, ...status };
  const known = state.readModels[beside] ?? { name: beside, projection, rebuild: null, before: null };
  return {
    ...state,
    live: { ...state.live, [projection]: state.live[projection] ?? beside },
    readModels: { ...state.readModels, [beside]: known, [name]: { name, projection, rebuild, before: null } },
    generations: used(used(state.generations, beside), name),
  };
}

function compared(state: Operations, data: RebuildCompared['data']): Operations {
  if (state.readModels[data.rebuild]?.rebuild?.purpose === 'verify') return without(state, data.rebuild);
  const differences = data.onlyLive.rows + data.onlyRebuilt.rows + data.changed.rows;
  return rebuilding(state, data, { status: data.agrees ? 'ready' : 'different', differences });
}

function rebuilding(
  state: Operations,
  { rebuild: name }: { readonly rebuild: ReadModelName },
  change: Partial<Rebuild>,
): Operations {
  const known = state.readModels[name];
  if (!known?.rebuild) return state;
  return { ...state, readModels: { ...state.readModels, [name]: { ...known, rebuild: { ...known.rebuild, ...change } } } };
}

function asked(state: Operations, { projection, to }: ChangeOfLive, before: ReadModelName | null): Operations {
  const over = rebuilding(state, { rebuild: to }, { status: 'over' });
  const known = over.readModels[to] ?? { name: to, projection, rebuild: null };
  return { ...over, live: { ...over.live, [projection]: to }, readModels: { ...over.readModels, [to]: { ...known, before } } };
}

/** What was asked, or may be rolled back to, goes on under another name. */
function moved(state: Operations, { to, readModels }: StoreMoved['data']): Operations {
  const renamed = Object.entries(readModels).reduce(succeeded, state);
  const name = (former: ReadModelName | null) => former && (readModels[former]?.readModel ?? former);
  const known = Object.entries(renamed.readModels).map(([of, each]) => [of, { ...each, before: name(each.before) }] as const);
  return { ...renamed, readModels: Object.fromEntries(known), sealed: null, movedTo: to };
}

function succeeded(
  state: Operations,
  [former, { projection, readModel: name }]: readonly [ReadModelName, Successor],
): Operations {
  const { [former]: known = { projection, rebuild: null, before: null }, ...others } = state.readModels;
  const rebuild = known.rebuild && { ...known.rebuild, generation: generationOf(name) };
  const successor: KnownReadModel = { ...known, name, rebuild };
  const asked = state.live[projection] ?? former;
  return {
    ...state,
    live: { ...state.live, [projection]: asked === former ? name : asked },
    readModels: { ...others, [name]: successor },
    generations: used(used(state.generations, former), name),
  };
}

function without({ readModels, ...state }: Operations, gone: ReadModelName): Operations {
  const left = Object.entries(readModels)
    .filter(([name]) => name !== gone)
    .map(([name, known]) => [name, known.before === gone ? { ...known, before: null } : known] as const);
  return { ...state, readModels: Object.fromEntries(left) };
}
