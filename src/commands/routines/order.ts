import { fireId, fireTask, type AgentId, type JsonObject, type TaskId } from '../../events/event.js';
import type { FireSource, Routine, RoutineEvent, RoutineFired, SuppressedCode, TriggerId } from '../../events/routine.js';
import { Rejected, type World } from '../decider.js';
import { bounded } from '../free-json.js';
import { knownAgent } from '../lane.js';
import { redact } from '../redact.js';
import { preview } from './preview.js';

/** What a fire is asked for by. */
export interface Asking {
  readonly source: FireSource;
  readonly trigger: TriggerId | null;
  readonly slot: string | null;
  readonly nextSlot: string | null;
  /** in the place of the routine's own */
  readonly agent?: AgentId | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
}

type Ordered = Pick<RoutineFired['data'], 'fingerprint' | 'order'>;
const nothing: Ordered = { fingerprint: null, order: null };

/** A fire on its way to its task. @throws Rejected where there is no agent for it, or its templates cannot be filled in */
export const fired = (routine: Routine, asking: Asking, world: World): RoutineEvent[] => [
  recorded(routine, asking, ordered(routine, asking, world), world),
];

/** A fire that is recorded in any case: as failed where it would be refused. */
export function firedOrFailed(routine: Routine, asking: Asking, world: World): RoutineEvent[] {
  try {
    return fired(routine, asking, world);
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    const { code, message: reason } = error;
    const failed = { ...named(routine), task: null, code, reason, failedAt: world.now.toISOString() };
    return [recorded(routine, asking, nothing, world), { type: 'FireFailed', data: failed }];
  }
}

/** A fire that comes to nothing for now. */
export const suppressed = (
  routine: Routine,
  asking: Asking,
  { code, reason }: { readonly code: SuppressedCode; readonly reason: string },
  world: World,
): RoutineEvent[] => [
  recorded(routine, asking, nothing, world),
  { type: 'FireSuppressed', data: { ...named(routine), code, reason, suppressedAt: world.now.toISOString() } },
];

const named = ({ routine, fires }: Routine) => ({ routine, fire: fireId(routine, fires + 1) });

function recorded(routine: Routine, asking: Asking, ordered: Ordered, { now }: World): RoutineEvent {
  const { trigger, source, slot, nextSlot } = asking;
  const of = { ...named(routine), n: routine.fires + 1, trigger, source, slot, nextSlot };
  return { type: 'RoutineFired', data: { ...of, ...ordered, firedAt: now.toISOString() } };
}

/** Fingerprints are taken of what was given; what is recorded is redacted, and cut. */
function ordered(routine: Routine, asking: Asking, world: World): Ordered {
  const agent = ableAgent(routine, asking.agent ?? routine.agent, world);
  const { variables, payload, slot } = asking;
  const at = slot === null ? world.now : new Date(slot);
  const shown = preview({ ...routine, agent }, { ...(variables && { variables }), ...(payload && { payload }), at });
  const { title, fingerprint } = shown;
  if (fingerprint === null) throw new Error(`a fire of ${routine.routine} for ${agent} has no fingerprint`);
  const { priority, concurrency } = routine;
  const told = toldOf(routine, asking, shown);
  return { fingerprint, order: { task: taskFor(routine, fingerprint), agent, priority, concurrency, title, payload: told } };
}

function ableAgent({ routine }: Routine, agent: AgentId | null, world: World): AgentId {
  if (agent === null)
    throw new Rejected('agent_required', `${routine} has no agent: define it with one, or name one with the fire`);
  if (knownAgent(world, agent).status === 'terminated')
    throw new Rejected('agent_terminated', `${agent} was terminated; give ${routine} to another agent`);
  return agent;
}

/** The names of routine and fire are told whole, however much of the rest has to be cut. */
function toldOf(
  routine: Routine,
  { trigger, source, slot, payload = {} }: Asking,
  shown: ReturnType<typeof preview>,
): JsonObject {
  const { description, variables } = shown;
  return { ...bounded({ description, variables, payload: redact(payload) }), ...named(routine), trigger, source, slot };
}

/** The newest of the same work that is open; else one of its own. */
export function taskFor({ routine, fires, concurrency, tasks }: Routine, fingerprint: string, n = fires + 1): TaskId {
  const same = concurrency === 'always_enqueue' ? undefined : tasks.find((one) => one.fingerprint === fingerprint);
  return same?.open ? same.task : fireTask(routine, n);
}
