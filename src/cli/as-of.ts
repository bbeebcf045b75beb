import type { Command } from 'commander';
import { typedPosition } from '../events/positions.js';

export interface AsOfOptions {
  asOf?: string;
}

export const asOfOption = (command: Command, what = 'as it was then'): Command =>
  command.option('--as-of <time|position>', `${what}: an ISO time, or a position of the log`);

/** As a route takes it: a time has more in it than digits. */
export const asOfQuery = ({ asOf }: AsOfOptions): { asOf?: string; asOfPosition?: string } =>
  asOf !== undefined && typedPosition.test(asOf) ? { asOfPosition: asOf } : { asOf };

export interface InOptions {
  in?: string;
}

export const inOption = (command: Command): Command =>
  command.option('--in <schema>', 'of the read models as they were, that projections build has made');
