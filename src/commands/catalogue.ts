import { pauseAgent, putAgent, resumeAgent, terminateAgent } from './agent.js';
import { dropBlocker, observeBlockers, setBlockers } from './blockers.js';
import { tellChildrenCompleted } from './children.js';
import { claim, claimRuns, type ClaimPorts } from './claim-runs.js';
import { holdCompany, nameCompany, releaseCompany } from './company.js';
import { addComment, removeComment } from './comment.js';
import type { CommandContext, Decision, Dispatched } from './decider.js';
import type { Event } from '../events/event.js';
import { detachRun, reattachRun } from './detached.js';
import { holdTask, releaseTask } from './hold.js';
import { endAgentWork, interruptRun } from './interrupt.js';
import { buildAsOf, buildSideSchema, dropAsOf, dropSideSchema, type SideSchemaPorts } from './operations/as-of.js';
import { cutOver, dropReadModel, rollBack } from './operations/cut-over.js';
import { dropParkedReaction, dropReaction, type WaitingReactionPorts } from './operations/parked-reaction.js';
import { retryParked, retryParkedStream, skipParked, skipParkedEvent, type ParkingPorts } from './operations/parked.js';
import { recordComparison, recordFailure, recordFilled } from './operations/rebuild-steps.js';
import { abandonRebuild, pauseRebuild, resumeRebuild, startRebuild } from './operations/rebuild.js';
import { recordMove, sealStore, unsealStore } from './operations/store.js';
import { promoteDue, promoteDueRetries, type PromotionPorts } from './promote-due-retries.js';
import { recoverTask } from './recovery.js';
import { retryNow, scheduleRetry } from './retry.js';
import { fire, fireSlots } from './routines/carry-out.js';
import { fireDueSlots } from './routines/due-slots.js';
import { fireRoutine } from './routines/fire.js';
import { observeFireTask } from './routines/observe-fire-task.js';
import { rotateTriggerSecret } from './routines/rotate-trigger-secret.js';
import { archiveRoutine, pauseRoutine, putRoutine, resumeRoutine } from './routines/routine.js';
import { settleFire } from './routines/settle-fire.js';
import { takeFire } from './routines/take-fire.js';
import { cancelRun, finishRun, recordProcess, reportRunLost, startRun } from './run.js';
import { decideSilence, reportSilence } from './silence.js';
import { assignTask, putTask, setTaskStatus } from './task.js';
import { cancelWakeup, requestWakeup } from './wakeup.js';

/** A kind of command with the way in which it is carried out. */
export interface Execution {
  readonly command: new () => object;
  execute(command: object, context: CommandContext, ports: CommandPorts): Promise<Dispatched<unknown>>;
}

/** All that commands need of the world; the process provides it. */
export abstract class CommandPorts implements ClaimPorts, PromotionPorts, ParkingPorts, SideSchemaPorts, WaitingReactionPorts {
  abstract readonly store: ClaimPorts['store'];
  abstract readonly ledger: ClaimPorts['ledger'];
  abstract readonly clock: PromotionPorts['clock'];
  abstract readonly dueRetries: PromotionPorts['dueRetries'];
  abstract readonly promotions: PromotionPorts['promotions'];
  abstract readonly readyRuns: ClaimPorts['readyRuns'];
  abstract readonly leases: ClaimPorts['leases'];
  abstract readonly parking: ParkingPorts['parking'];
  abstract readonly reactions: WaitingReactionPorts['reactions'];
  abstract readonly sideSchemas: SideSchemaPorts['sideSchemas'];
}

const decided = <C extends object, State, E extends Event, Answer>(decision: Decision<C, State, E, Answer>): Execution => ({
  command: decision.command,
  async execute(command: C, context: CommandContext, { ledger }: CommandPorts) {
    const { answer, outcome } = await ledger.handle(decision, command, context);
    return { answer, position: outcome.position, revision: outcome.revision, replayed: outcome.replayed };
  },
});

/** Every command of the ledger. Handlers, documents and checks of completeness are made from this list. */
export const catalogue: readonly Execution[] = [
  decided(nameCompany),
  decided(holdCompany),
  decided(releaseCompany),
  decided(putAgent),
  decided(pauseAgent),
  decided(resumeAgent),
  decided(terminateAgent),
  decided(putTask),
  decided(assignTask),
  decided(setTaskStatus),
  decided(setBlockers),
  decided(holdTask),
  decided(releaseTask),
  decided(addComment),
  decided(removeComment),
  decided(requestWakeup),
  decided(cancelWakeup),
  decided(startRun),
  decided(recordProcess),
  decided(detachRun),
  decided(reattachRun),
  decided(finishRun),
  decided(cancelRun),
  decided(reportRunLost),
  decided(interruptRun),
  decided(endAgentWork),
  decided(recoverTask),
  decided(reportSilence),
  decided(decideSilence),
  decided(observeBlockers),
  decided(dropBlocker),
  decided(tellChildrenCompleted),
  decided(scheduleRetry),
  decided(retryNow),
  decided(putRoutine),
  decided(pauseRoutine),
  decided(resumeRoutine),
  decided(archiveRoutine),
  decided(rotateTriggerSecret),
  decided(takeFire),
  decided(settleFire),
  decided(observeFireTask),
  { command: fireRoutine.command, execute: fire },
  { command: fireDueSlots.command, execute: fireSlots },
  decided(startRebuild),
  decided(pauseRebuild),
  decided(resumeRebuild),
  decided(abandonRebuild),
  decided(recordFilled),
  decided(recordComparison),
  decided(recordFailure),
  decided(cutOver),
  decided(rollBack),
  decided(dropReadModel),
  decided(sealStore),
  decided(unsealStore),
  decided(recordMove),
  { command: claimRuns.command, execute: claim },
  { command: promoteDueRetries.command, execute: promoteDue },
  { command: retryParkedStream.command, execute: retryParked },
  { command: skipParkedEvent.command, execute: skipParked },
  { command: dropParkedReaction.command, execute: dropReaction },
  { command: buildAsOf.command, execute: buildSideSchema },
  { command: dropAsOf.command, execute: dropSideSchema },
];
