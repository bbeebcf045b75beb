import type { AgentEvent } from './agent.js';
import type { CompanyEvent } from './company.js';
import type { LaneEvent } from './lane.js';
import type { OperationsEvent } from './operations.js';

/** Every fact that the ledger knows. */
export type LedgerEvent = CompanyEvent | AgentEvent | LaneEvent | OperationsEvent;
