import { companyStream, nameUuid, subjectOf, type Recorded } from '../../src/events/event.js';
import type { CompanyEvent } from '../../src/events/company.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { holds } from '../../src/projections/holds.js';
import { fact, opened, person } from '../facts.js';
import { given, only, onAgent, onTask } from './folded.js';

const at = '2026-04-20T11:40:00.000Z';
const later = '2026-04-20T11:50:00.000Z';
const paused = { type: 'AgentPaused', data: { agent: 'fixer', reason: 'noisy', interrupt: true, pausedAt: at } } as const;
const resumed = { type: 'AgentResumed', data: { agent: 'fixer', reason: 'quiet', resumedAt: later } } as const;
const terminated = { type: 'AgentTerminated', data: { agent: 'fixer', reason: 'replaced', terminatedAt: later } } as const;
const held = fact('TaskHeld', { task: 'ACME-12', reason: 'legal', subtree: false, interrupt: true, heldAt: at });
const widened = fact('TaskHeld', { task: 'ACME-12', reason: 'all of it', subtree: true, interrupt: true, heldAt: later });
const released = fact('TaskReleased', { task: 'ACME-12', reason: 'cleared', releasedAt: later });

const onCompany = (...facts: CompanyEvent[]): Recorded<LedgerEvent>[] =>
  facts.map((event, revision) => ({
    ...event,
    id: nameUuid(event.type, revision),
    schema: 1,
    stream: companyStream('acme'),
    ...subjectOf(companyStream('acme')),
    revision,
    position: String(revision + 1),
    recordedAt: at,
    metadata: { actor: person, correlationId: '', causationId: '', commandId: '' },
  }));

describe('holds', () => {
  it('has an agent as long as it is paused', () => {
    expect(only(given(onAgent([paused])).folded(holds))).toEqual({
      company: 'acme',
      kind: 'agent',
      target: 'fixer',
      subtree: false,
      status: 'paused',
      reason: 'noisy',
      since: at,
    });
    expect(given(onAgent([paused, resumed])).folded(holds)).toEqual([]);
  });

  it('has a terminated agent for ever', () =>
    expect(only(given(onAgent([paused, terminated])).folded(holds))).toMatchObject({ status: 'terminated', since: later }));

  it('has a task as long as it is held, as widely as it was said last', () => {
    expect(only(given(onTask([opened(), held])).folded(holds))).toEqual({
      company: 'acme',
      kind: 'task',
      target: 'ACME-12',
      subtree: false,
      status: 'held',
      reason: 'legal',
      since: at,
    });
    expect(only(given(onTask([opened(), held, widened])).folded(holds))).toMatchObject({ subtree: true, reason: 'all of it' });
    expect(given(onTask([opened(), held, widened, released])).folded(holds)).toEqual([]);
  });

  it('has a company as long as it is held', () => {
    const company: CompanyEvent = { type: 'CompanyHeld', data: { reason: 'audit', interrupt: true, heldAt: at } };
    const end: CompanyEvent = { type: 'CompanyReleased', data: { reason: 'over', releasedAt: later } };
    expect(only(given(onCompany(company)).folded(holds))).toMatchObject({ kind: 'company', target: 'acme', status: 'held' });
    expect(given(onCompany(company, end)).folded(holds)).toEqual([]);
  });

  it('does not take a task for an agent of the same name', () =>
    expect(given(onTask([held], 'fixer'), onAgent([paused, resumed])).folded(holds)).toHaveLength(1));
});
