import { Injectable } from '@nestjs/common';
import { AsOfSchemas } from '../projections/side-schemas/as-of-schemas.js';
import type { ReadModels } from '../projections/read-models.js';
import type { Exchange } from './call.js';
import { minPositionOf } from './headers.js';
import { malformed } from './problem.js';

/** What a read may be refused for that is asked of a schema. */
export const inSchema = ['as_of_schema_not_found', 'as_of_schema_lacks'] as const;

/** Reads of what stands in a side schema, by the queries that read what is live. */
@Injectable()
export class SideReads {
  constructor(private readonly schemas: AsOfSchemas) {}

  /** The queries on a side schema; says in the answer where it stands. @throws Rejected of a schema that is not there */
  async in<Queries>(call: Exchange, schema: string, of: new (readModels: ReadModels) => Queries): Promise<Queries> {
    refuseOtherTimes(call);
    const readModels = await this.schemas.open(schema);
    void call.reply.header('ledger-position', readModels.position);
    return new of(readModels);
  }

  /** What was now for those who looked at it then. */
  async nowIn(schema: string): Promise<Date> {
    return this.schemas.timeOf((await this.schemas.open(schema)).position);
  }
}

function refuseOtherTimes(call: Exchange): void {
  const { asOf, asOfPosition } = call.request.query;
  if (asOf !== undefined || asOfPosition !== undefined)
    throw malformed('in', 'in and asOf are both given: the schema stands at a position of its own, leave asOf out');
  if (minPositionOf(call) !== undefined)
    throw malformed('Ledger-Min-Position', 'Ledger-Min-Position: what is past is waited for by nobody; leave the header out');
}
