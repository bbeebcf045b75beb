import pg from 'pg';
import { StoreUnavailable } from './event-store.js';

/** SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded. */
const dataClasses = ['22', '23', '54'];

/** Connection exception, transaction rollback, insufficient resources, operator intervention, system error. */
const outageClasses = ['08', '40', '53', '57', '58'];

/** After a failover, the old address may lead to a standby. */
const readOnly = '25006';

export const isDataError = (error: unknown): error is pg.DatabaseError => hasClass(error, dataClasses);

/** What the connection or the server is to blame for becomes StoreUnavailable; a fault of the statement stays what it is. */
export function unavailable(error: unknown): unknown {
  const answered = error instanceof pg.DatabaseError;
  if (answered && error.code !== readOnly && !hasClass(error, outageClasses)) return error;
  return outOfReach(error);
}

export function outOfReach(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable(`Postgres is out of reach: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}

const hasClass = (error: unknown, classes: readonly string[]): boolean =>
  error instanceof pg.DatabaseError && classes.includes(error.code?.slice(0, 2) ?? '');
