import type { AgentEvent } from './agent.js';
import type { CompanyEvent } from './company.js';
import type { LaneEvent } from './lane.js';
import type { OperationsEvent } from './operations.js';
import type { RoutineEvent } from './routine.js';

/** Every fact that the ledger knows. */
export type LedgerEvent = CompanyEvent | AgentEvent | LaneEvent | RoutineEvent | OperationsEvent;
