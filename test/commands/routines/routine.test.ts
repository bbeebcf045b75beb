import { archiveRoutine, pauseRoutine, resumeRoutine } from '../../../src/commands/routines/routine.js';
import { at, itself } from '../../facts.js';
import { given } from '../../given.js';
import { daily, firedByHand, routineArchived, routineDefined, routinePaused, routineResumed } from '../../routine-facts.js';

const iso = (clock: string): string => at(clock).toISOString();
const nightly = { company: 'acme', routine: 'nightly' };
const others = routineDefined({ agent: 'reviewer' });
const passed = { trigger: 'daily', count: 1, first: iso('12:00'), last: iso('12:00'), nextSlot: '2026-04-21T12:00:00.000Z' };

describe('pausing a routine', () => {
  it('says why, and since when', () =>
    given(routineDefined())
      .when(pauseRoutine, { ...nightly, reason: 'holidays' })
      .answering({ routine: { status: 'paused', reason: 'holidays', since: iso('12:00') } })
      .then({ type: 'RoutinePaused', data: { routine: 'nightly', reason: 'holidays', pausedAt: iso('12:00') } }));

  it('asked for twice is one pause', () => given(routineDefined(), routinePaused).when(pauseRoutine, nightly).thenNothing());

  it('is refused of one that is archived, unknown, or another’s', () => {
    given(routineDefined(), routineArchived).when(pauseRoutine, nightly).refuses('routine_archived');
    given()
      .when(pauseRoutine, nightly)
      .refuses('routine_not_found', /define it first/);
    given(others).when(pauseRoutine, nightly, { actor: itself }).refuses('not_permitted');
  });
});

describe('resuming a routine', () => {
  const resuming = (now: string) => given(routineDefined(), routinePaused).when(resumeRoutine, nightly, { now: at(now) });

  it('lets it fire again', () =>
    resuming('11:50')
      .answering({ routine: { status: 'active', since: iso('11:50') } })
      .then({ type: 'RoutineResumed', data: { reason: 'resumed' } }));

  it('counts the slots that have passed unseen, and leaves them', () =>
    resuming('12:00').then({ type: 'SlotsMissed', data: { code: 'routine_paused', ...passed } }, { type: 'RoutineResumed' }));

  it('leaves what is switched off, or over, alone', () => {
    const off = routineDefined({
      triggers: [
        { ...daily, enabled: false },
        { ...daily, id: 'over', nextSlot: null },
      ],
    });
    given(off, routinePaused)
      .when(resumeRoutine, nightly, { now: at('12:30') })
      .then({ type: 'RoutineResumed' });
  });

  it('asked for twice is done once', () => {
    given(routineDefined()).when(resumeRoutine, nightly).thenNothing();
    given(routineDefined(), routinePaused, routineResumed)
      .when(resumeRoutine, nightly, { now: at('12:30') })
      .thenNothing();
  });

  it('is refused without an agent, and of one that is archived, unknown, or another’s', () => {
    given(routineDefined({ agent: null }), routinePaused)
      .when(resumeRoutine, nightly)
      .refuses('agent_required', /define it with one/);
    given(routineDefined(), routineArchived).when(resumeRoutine, nightly).refuses('routine_archived');
    given().when(resumeRoutine, nightly).refuses('routine_not_found');
    given(others, routinePaused).when(resumeRoutine, nightly, { actor: itself }).refuses('not_permitted');
  });
});

describe('archiving a routine', () => {
  it('ends it, and what is under way goes on', () =>
    given(routineDefined(), firedByHand(1))
      .when(archiveRoutine, { ...nightly, reason: 'done with it' }, { now: at('11:58') })
      .answering({ routine: { status: 'archived', reason: 'done with it' } })
      .then({ type: 'RoutineArchived', data: { reason: 'done with it', archivedAt: iso('11:58') } }));

  it('counts the slots that have passed by then', () => {
    given(routineDefined())
      .when(archiveRoutine, nightly)
      .then({ type: 'SlotsMissed', data: { code: 'schedule_changed', ...passed } }, { type: 'RoutineArchived' });
    given(routineDefined(), routinePaused)
      .when(archiveRoutine, nightly)
      .then({ type: 'SlotsMissed', data: { code: 'routine_paused', ...passed } }, { type: 'RoutineArchived' });
  });

  it('asked for twice is done once', () =>
    given(routineDefined(), routineArchived)
      .when(archiveRoutine, nightly, { now: at('12:30') })
      .thenNothing());

  it('is refused of one that is unknown, or another’s', () => {
    given().when(archiveRoutine, nightly).refuses('routine_not_found');
    given(others).when(archiveRoutine, nightly, { actor: itself }).refuses('not_permitted');
  });
});
