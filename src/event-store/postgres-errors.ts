import pg from 'pg';
import { isOutage } from '../database.js';
import { StoreSealed, StoreUnavailable } from './event-store.js';

/** SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded. */
const dataClasses = ['22', '23', '54'];

export const isDataError = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && dataClasses.includes(error.code?.slice(0, 2) ?? '');

/** Raised by `refuse_sealed_events()` of 0012_logs.sql. */
const sealed = 'RLOG1';

/** What the connection or the server is to blame for becomes StoreUnavailable; a fault of the statement stays what it is. */
export function unavailable(error: unknown): unknown {
  if (error instanceof pg.DatabaseError && error.code === sealed) return new StoreSealed(error.message, { cause: error });
  return error instanceof pg.DatabaseError && !isOutage(error) ? error : outOfReach(error);
}

export function outOfReach(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable(`Postgres is out of reach: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
