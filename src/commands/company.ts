import { IsBoolean } from 'class-validator';
import { companyStream } from '../events/event.js';
import { companies, type Company, type CompanyEvent } from '../events/company.js';
import { decision, type Outcome, type World } from './decider.js';
import { Optional, Slug, Text } from './fields.js';

const ofCompany = { of: companies, stream: ({ company }: { company: string }) => companyStream(company) };

/** Gives a company its name for people; it exists without one from its first event on. */
export class NameCompany {
  @Slug() company!: string;
  @Text(200) name!: string;
}

export const nameCompany = decision({
  command: NameCompany,
  ...ofCompany,
  decide: ({ name }: NameCompany, company: Company, { now }: World): CompanyEvent[] =>
    company.name === name ? [] : [{ type: 'CompanyNamed', data: { name, namedAt: now.toISOString() } }],
  answer: companyAnswer,
});

/** Nothing of the company starts until it is released; what is asked for meanwhile waits. `interrupt` asks that what runs is handed back. */
export class HoldCompany {
  @Slug() company!: string;
  @Optional() @Text(4_000) reason?: string;
  @Optional() @IsBoolean() interrupt?: boolean;
}

export const holdCompany = decision({
  command: HoldCompany,
  ...ofCompany,
  decide: ({ reason = 'held', interrupt = true }: HoldCompany, { held }: Company, { now }: World): CompanyEvent[] =>
    held && (held.interrupt || !interrupt)
      ? []
      : [{ type: 'CompanyHeld', data: { reason, interrupt, heldAt: now.toISOString() } }],
  answer: companyAnswer,
});

/** What was held goes on, in the order in which it would have. */
export class ReleaseCompany {
  @Slug() company!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const releaseCompany = decision({
  command: ReleaseCompany,
  ...ofCompany,
  decide: ({ reason = 'released' }: ReleaseCompany, { held }: Company, { now }: World): CompanyEvent[] =>
    held ? [{ type: 'CompanyReleased', data: { reason, releasedAt: now.toISOString() } }] : [],
  answer: companyAnswer,
});

function companyAnswer({ company }: { company: string }, { state, revision }: Outcome<Company, CompanyEvent>) {
  const { name, held } = state;
  return { company: { id: company, name, ...(held && { held }), revision } };
}
