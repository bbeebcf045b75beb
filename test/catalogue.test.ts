import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../src/commands/catalogue.js';

const sources = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');

const [facts, decisions, projections, workers, cli, http] = ['events', 'commands', 'projections', 'workers', 'cli', 'http'].map(
  (folder) => sources(`src/${folder}`),
) as [string, string, string, string, string, string];
const types = [...facts.matchAll(/= Event<\s*'(\w+)'/g)].map(([, type]) => type!);
const commands = catalogue.map(({ command }) => command.name);

/** Sent by the process itself, never from outside. */
const inner = {
  StartRun: 'part of a claim',
  ReportRunLost: 'what the reaper says',
  InterruptRun: 'of the policy on holds',
  EndAgentWork: 'of the policy on termination',
  ObserveBlockers: 'of the policy on blockers',
  DropBlocker: 'of the policy on blockers',
  TellChildrenCompleted: 'of the policy on children',
  RecoverTask: 'of the policy on stranded tasks',
  FireDueSlots: 'what the scheduler says',
  TakeFire: 'of whoever fires, and of the policy on routines',
  SettleFire: 'likewise',
  ObserveFireTask: 'of the policy on routines',
  ReportSilence: 'what the watch over silent runs says',
  RecordFilled: 'of the rebuilder',
  RecordComparison: 'of the rebuilder',
  RecordFailure: 'of the rebuilder',
  SealStore: 'of ledger store, which works on logs without a server',
  UnsealStore: 'likewise',
  RecordMove: 'likewise',
};

/** They are about the log itself: its store enforces them, and no row follows from them. */
const ofTheLog = ['StoreSealed', 'StoreUnsealed', 'StoreMoved'];

/** What they did is in a table of its own, written by whoever did it. */
const written: Readonly<Record<string, string>> = {
  ParkedStreamRetried: 'parked_streams',
  ParkedEventSkipped: 'skipped_events',
  ParkedReactionDropped: 'parked_reactions',
  AsOfBuilt: 'as_of_schemas',
  AsOfDropped: 'as_of_schemas',
};

it('knows the facts of the ledger', () => expect(types.length).toBeGreaterThanOrEqual(27));

describe.each(types)('%s', (type) => {
  it('is decided by a command', () => expect(decisions).toMatch(new RegExp(`type: '${type}'|'${type}' :|\\? '${type}'`)));
  it('is folded into a state', () => expect(facts).toContain(`case '${type}':`));
  if (ofTheLog.includes(type)) return;
  it('is folded into a read model', () =>
    expect(written[type] ? projections + workers : projections).toMatch(new RegExp(`\\b${written[type] ?? `${type}:`}`)));
});

it('lists every command that a decision or a batch is made for', () => {
  const classes = [...decisions.matchAll(/^\s+command: ([A-Z]\w+),$/gm), ...decisions.matchAll(/= \{ command: (\w+) \}/g)].map(
    ([, name]) => name!,
  );
  expect(commands.toSorted()).toEqual(classes.toSorted());
  expect(new Set(commands).size).toBe(commands.length);
});

describe.each(commands.filter((command) => !(command in inner)))('%s', (command) => {
  const decision = command[0]!.toLowerCase() + command.slice(1);
  it('has a route', () => expect(http).toMatch(new RegExp(`\\b${decision}\\b`)));
});

it('has a verb of the CLI, or is a worker’s, for every route that changes something', () => {
  const routes = [...http.matchAll(/@(?:Put|Post|Delete)\('?([^')]*)'?\)/g)]
    .map(([, path]) => path!.split('/').at(-1)!)
    .filter((verb) => /^[a-z-]+$/.test(verb));
  const workers = ['process', 'detached', 'reattached', 'finish', 'beat', 'claims'];
  expect(routes.filter((verb) => !workers.includes(verb) && !cli.includes(verb))).toEqual([]);
});
