import type { Operations, OperationsEvent, StoreMoved } from '../../events/operations.js';
import { decision, type Outcome, type World } from '../decider.js';
import { Exact, FreeJson, Int, Optional, Text, Uuid } from '../fields.js';
import { ofOperations } from './rebuild.js';

/** Tells in a log that it is closed for writes; whoever tells it closes it behind that. */
export class SealStore {
  @Uuid() log!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const sealStore = decision({
  command: SealStore,
  ...ofOperations,
  decide: (
    { log, reason = 'asked for' }: SealStore,
    { sealed }: Operations,
    { now, actor: sealedBy }: World,
  ): OperationsEvent[] =>
    sealed?.log === log ? [] : [{ type: 'StoreSealed', data: { log, reason, sealedBy, sealedAt: now.toISOString() } }],
  answer: (_: SealStore, { state }: Outcome<Operations, OperationsEvent>) => ({ sealed: state.sealed }),
});

/** Tells in a log that it is open again; whoever tells it has opened it before that. */
export class UnsealStore {
  @Uuid() log!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const unsealStore = decision({
  command: UnsealStore,
  ...ofOperations,
  decide: ({ log, reason = 'asked for' }: UnsealStore, { sealed }: Operations, { now }: World): OperationsEvent[] =>
    sealed?.log === log ? [{ type: 'StoreUnsealed', data: { log, reason, unsealedAt: now.toISOString() } }] : [],
  answer: (_: UnsealStore, { state }: Outcome<Operations, OperationsEvent>) => ({ sealed: state.sealed }),
});

/** Tells in a copy, as the first thing that is not in the log that it was made of, that the ledger goes on in it. */
export class RecordMove {
  @Uuid() from!: string;
  @Uuid() to!: string;
  @Int(0, Number.MAX_SAFE_INTEGER) events!: number;
  /** of all that was copied */
  @Exact(64) digest!: string;
  @FreeJson() readModels!: StoreMoved['data']['readModels'];
  @Optional() @Text(4_000) reason?: string;
}

export const recordMove = decision({
  command: RecordMove,
  ...ofOperations,
  decide: ({ reason = 'asked for', ...move }: RecordMove, { movedTo }: Operations, { now }: World): OperationsEvent[] =>
    movedTo === move.to ? [] : [{ type: 'StoreMoved', data: { ...move, reason, movedAt: now.toISOString() } }],
  answer: (_: RecordMove, { state }: Outcome<Operations, OperationsEvent>) => ({ movedTo: state.movedTo }),
});
