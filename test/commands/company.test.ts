import { holdCompany, nameCompany, releaseCompany } from '../../src/commands/company.js';
import type { CompanyEvent } from '../../src/events/company.js';
import { InvalidCommand } from '../../src/commands/dispatch.js';
import { at } from '../facts.js';
import { given } from '../given.js';

const named: CompanyEvent = { type: 'CompanyNamed', data: { name: 'Acme', namedAt: at('09:00').toISOString() } };
const heldAt = at('09:30').toISOString();
const held = (interrupt: boolean): CompanyEvent => ({ type: 'CompanyHeld', data: { reason: 'audit', interrupt, heldAt } });
const acme = { company: 'acme' };

describe('NameCompany', () => {
  it('gives a company its name', () =>
    given()
      .when(nameCompany, { company: 'acme', name: 'Acme' })
      .answering({ company: { id: 'acme', name: 'Acme', revision: 0 } })
      .then({ type: 'CompanyNamed', data: { name: 'Acme', namedAt: '2026-04-20T12:00:00.000Z' } }));

  it('says nothing new when the name is the same', () =>
    given(named)
      .when(nameCompany, { company: 'acme', name: 'Acme' })
      .answering({ company: { name: 'Acme', revision: 0 } })
      .thenNothing());

  it('names it anew', () =>
    given(named)
      .when(nameCompany, { company: 'acme', name: 'Acme & Sons' })
      .then({ type: 'CompanyNamed', data: { name: 'Acme & Sons' } }));

  it.each([
    ['a company of two words', { company: 'acme inc', name: 'Acme' }, /^company is "acme inc"/],
    ['a missing name', { company: 'acme' }, /^name is missing/],
    ['a field that it does not know', { company: 'acme', name: 'Acme', motto: 'More' }, /unknown field motto/],
  ])('refuses %s', (_, fields, sentence) => {
    expect(() => given().when(nameCompany, fields)).toThrow(InvalidCommand);
    expect(() => given().when(nameCompany, fields)).toThrow(sentence);
  });
});

describe('HoldCompany', () => {
  it('holds all that the company has to do', () =>
    given(named)
      .when(holdCompany, { ...acme, reason: 'audit' })
      .answering({ company: { id: 'acme', name: 'Acme', held: { reason: 'audit', interrupt: true }, revision: 1 } })
      .then({ type: 'CompanyHeld', data: { reason: 'audit', interrupt: true, heldAt: '2026-04-20T12:00:00.000Z' } }));

  it('holds a company that has no name', () => given().when(holdCompany, acme).then({ type: 'CompanyHeld' }));

  it('says nothing new when it is held already', () => {
    given(held(true))
      .when(holdCompany, acme)
      .answering({ company: { held: { reason: 'audit' }, revision: 0 } })
      .thenNothing();
    given(held(true))
      .when(holdCompany, { ...acme, interrupt: false })
      .thenNothing();
  });

  it('interrupts after all what it had let go on', () =>
    given(held(false))
      .when(holdCompany, { ...acme, reason: 'now' })
      .then({ type: 'CompanyHeld', data: { reason: 'now', interrupt: true } }));
});

describe('ReleaseCompany', () => {
  it('lets go on what was held', () => {
    const answer = given(held(true)).when(releaseCompany, { ...acme, reason: 'audit is over' });
    answer.then({ type: 'CompanyReleased', data: { reason: 'audit is over', releasedAt: '2026-04-20T12:00:00.000Z' } });
  });

  it('says nothing new of a company that is not held', () => given(named).when(releaseCompany, acme).thenNothing());
});
