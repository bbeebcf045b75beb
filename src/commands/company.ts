import { companyStream } from '../events/event.js';
import { companies, type Company, type CompanyEvent } from '../events/company.js';
import { decision, type World } from './decider.js';
import { Slug, Text } from './fields.js';

/** Gives a company its name for people; it exists without one from its first event on. */
export class NameCompany {
  @Slug() company!: string;
  @Text(200) name!: string;
}

export const nameCompany = decision({
  command: NameCompany,
  of: companies,
  stream: ({ company }: NameCompany) => companyStream(company),
  decide: ({ name }: NameCompany, company: Company, { now }: World): CompanyEvent[] =>
    company.name === name ? [] : [{ type: 'CompanyNamed', data: { name, namedAt: now.toISOString() } }],
  answer: ({ company }, { state, revision }) => ({ company: { id: company, name: state.name, revision } }),
});
