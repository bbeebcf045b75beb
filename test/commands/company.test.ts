import { nameCompany } from '../../src/commands/company.js';
import type { CompanyEvent } from '../../src/events/company.js';
import { InvalidCommand } from '../../src/commands/dispatch.js';
import { at } from '../facts.js';
import { given } from '../given.js';

const named: CompanyEvent = { type: 'CompanyNamed', data: { name: 'Acme', namedAt: at('09:00').toISOString() } };

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
