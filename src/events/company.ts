import type { Event, Stream } from './event.js';

export type CompanyNamed = Event<'CompanyNamed', { name: string; namedAt: string }>;

export type CompanyEvent = CompanyNamed;

/** A company needs no founding: it comes into being with the first event of its first stream. */
export interface Company {
  readonly name: string | undefined;
}

export const companies: Stream<Company, CompanyEvent> = { initial: { name: undefined }, evolve: evolveCompany };

function evolveCompany(company: Company, event: CompanyEvent): Company {
  switch (event.type) {
    case 'CompanyNamed':
      return { ...company, name: event.data.name };
  }
}
