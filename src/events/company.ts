import type { Event, Stream } from './event.js';
import type { Hold } from './hold.js';

export type CompanyNamed = Event<'CompanyNamed', { name: string; namedAt: string }>;
/** Nothing of the company starts until it is released. `interrupt`: what runs is handed back. */
export type CompanyHeld = Event<'CompanyHeld', { reason: string; interrupt: boolean; heldAt: string }>;
export type CompanyReleased = Event<'CompanyReleased', { reason: string; releasedAt: string }>;

export type CompanyEvent = CompanyNamed | CompanyHeld | CompanyReleased;

/** A company needs no founding: it comes into being with the first event of its first stream. */
export interface Company {
  readonly name: string | undefined;
  readonly held: Hold | null;
}

export const companies: Stream<Company, CompanyEvent> = {
  initial: { name: undefined, held: null },
  evolve: evolveCompany,
};

function evolveCompany(company: Company, event: CompanyEvent): Company {
  switch (event.type) {
    case 'CompanyNamed':
      return { ...company, name: event.data.name };
    case 'CompanyHeld': {
      const { reason, interrupt, heldAt } = event.data;
      return { ...company, held: { reason, interrupt, since: heldAt } };
    }
    case 'CompanyReleased':
      return { ...company, held: null };
  }
}
