import { putAgent } from '../../src/commands/agent.js';
import { pauseRoutine, putRoutine, resumeRoutine } from '../../src/commands/routines/routine.js';
import { setTaskStatus } from '../../src/commands/task.js';
import { offsetMs } from '../../src/events/due-slot.js';
import { beginning, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { CatchUpPolicy, ConcurrencyPolicy, DstPolicy, RoutineEvent } from '../../src/events/routine.js';
import { Bells } from '../../src/workers/bells.js';
import { scheduler } from '../../src/workers/scheduler.js';
import { slotsByHand } from '../commands/schedule/oracle.js';
import { zonePieces } from '../commands/schedule/zone-changes.js';
import { seed } from '../model/seed.js';
import { seeded } from '../projections/history.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { FoldedDueRoutines } from '../workers/folded-due-routines.js';

jest.setTimeout(120_000);

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** A leap year. */
const begin = Date.UTC(2028, 0, 1);
const end = Date.UTC(2029, 0, 1);

interface Plan {
  readonly routine: string;
  readonly triggers: readonly Ticking[];
  readonly concurrency?: ConcurrencyPolicy;
  readonly catchUp?: CatchUpPolicy;
  readonly spreadSec?: number;
  readonly activeFrom?: string;
  readonly activeUntil?: string;
  readonly description?: string;
}

interface Ticking {
  readonly id: string;
  readonly zone: string;
  readonly dst: DstPolicy;
  readonly crons: readonly string[];
}

const shift = { gap: 'shift', overlap: 'once' } as const;
const rhythm = { gap: 'skip', overlap: 'twice' } as const;
const at = (zone: string, dst: DstPolicy, ...crons: string[]) => ({ id: 'tick', zone, dst, crons });
const capped = { catchUp: 'enqueue_missed_with_cap' } as const;

/** Each has a few schedules, which it changes between. */
const plans: readonly Plan[] = [
  { routine: 'hourly', triggers: [at('Europe/Berlin', rhythm, '0 * * * *', '30 * * * *')] },
  { routine: 'nightly', triggers: [at('Europe/Berlin', shift, '30 2 * * *', '0 3 * * *')], concurrency: 'skip_if_active' },
  { routine: 'twice', triggers: [at('America/New_York', rhythm, '30 1 * * *', '15,45 1,2 * * *')], ...capped },
  { routine: 'howe', triggers: [at('Australia/Lord_Howe', shift, '15 */2 * * *', '*/30 1-3 * * *')], ...capped },
  { routine: 'midnight', triggers: [at('Asia/Kathmandu', shift, '0 0 * * *', '0 0 * * 1,3')], concurrency: 'always_enqueue' },
  { routine: 'office', triggers: [at('Europe/London', shift, '0 9 * * 1-5', '0 9,17 * * mon-fri')], spreadSec: 3_600, ...capped },
  { routine: 'apia', triggers: [at('Pacific/Apia', rhythm, '0 */6 * * *', '0 */4 * * *')], spreadSec: 1_800 },
  { routine: 'rare', triggers: [at('Europe/Dublin', shift, '0 12 1 * *', '0 12 29 2,6 *')], ...capped },
  {
    routine: 'both',
    triggers: [
      at('Africa/Cairo', shift, '5 */3 * * *', '10 */4 * * *'),
      { ...at('America/Santiago', rhythm, '20 0,4 * * *', '0 0 * * *'), id: 'other' },
    ],
    spreadSec: 600,
    concurrency: 'always_enqueue',
    ...capped,
  },
  {
    routine: 'season',
    triggers: [at('Asia/Tehran', shift, '*/20 6-8 * * *', '0 12 * * *')],
    activeFrom: new Date(begin + 60 * day).toISOString(),
    activeUntil: new Date(begin + 200 * day + 7 * hour).toISOString(),
  },
];

/** A time in which a trigger had one schedule: its slots are those after `from`, up to `to`. */
interface Span {
  readonly trigger: string;
  readonly cron: string;
  readonly from: number;
  to: number;
}

class Year {
  readonly ledger = new VirtualLedger();
  readonly spans = new Map<string, Span[]>();
  private readonly due = new FoldedDueRoutines(this.ledger.ports.store);
  private readonly loop: ReturnType<typeof scheduler>;
  private readonly chosen = new Map<string, number>();
  private readonly disabled = new Set<string>();
  private readonly warnings: string[] = [];
  private looked = beginning;

  constructor(private readonly draw: ReturnType<typeof seeded>) {
    const { ledger, due } = this;
    const { store, clock } = ledger.ports;
    const log = { warn: (sentence: string) => void this.warnings.push(sentence) };
    const dispatch = { send: ledger.send.bind(ledger) };
    this.loop = scheduler({ store, clock, log, dispatch, dueRoutines: due, bells: new Bells() });
  }

  /** What people do, and when the scheduler is away, is drawn. */
  async pass(): Promise<void> {
    await this.goTo(begin);
    await this.ledger.send(putAgent, { agent: 'fixer' });
    for (const plan of plans) await this.put(plan);
    for (let next = begin, isAway = false; next < end; isAway = this.draw(5) === 0) {
      next = Math.min(end, next + this.drawnTime(isAway));
      if (!isAway) await this.workUntil(next);
      await this.goTo(next);
      if (next < end) await this.happen();
    }
    await this.workUntil(end);
    expect(this.warnings).toEqual([]);
  }

  private drawnTime(isAway: boolean): number {
    return isAway ? [3 * minute, 90 * minute, 2 * day, 11 * day][this.draw(4)]! + this.draw(hour) : 1 + this.draw(3 * day);
  }

  /** The scheduler at its work: it wakes when something is due. */
  private async workUntil(time: number): Promise<void> {
    for (;;) {
      await this.due.caughtUp();
      const next = await this.due.nextDue();
      if (next === undefined || Date.parse(next) > time) return;
      await this.goTo(Date.parse(next));
      await this.loop.turn(never);
    }
  }

  private async goTo(time: number): Promise<void> {
    this.ledger.clock.advance(Math.max(0, time - this.now()));
  }

  private now(): number {
    return this.ledger.clock.now().getTime();
  }

  private async happen(): Promise<void> {
    const plan = plans[this.draw(plans.length)]!;
    const { routine } = plan;
    switch (this.draw(7)) {
      case 0:
        await this.ledger.send(pauseRoutine, { routine });
        return;
      case 1:
      case 2:
        for (const each of plans) await this.ledger.send(resumeRoutine, { routine: each.routine });
        return;
      case 3:
        this.chosen.set(routine, this.draw(2));
        return this.put(plan);
      case 4:
        if (!this.disabled.delete(routine)) this.disabled.add(routine);
        return this.put(plan);
      case 5:
        return this.put({ ...plan, description: `as of ${this.now()}` });
      default:
        return this.closeTasks();
    }
  }

  private async put(plan: Plan): Promise<void> {
    const choice = this.chosen.get(plan.routine) ?? 0;
    const enabled = !this.disabled.has(plan.routine);
    const triggers = plan.triggers.map(({ crons, ...trigger }) => ({
      ...trigger,
      kind: 'schedule',
      enabled,
      cron: crons[choice],
    }));
    await this.ledger.send(putRoutine, { title: plan.routine, agent: 'fixer', ...plan, triggers });
    for (const { id, cron } of triggers) this.note(plan.routine, id, enabled ? cron! : undefined);
  }

  /** A schedule that is put again as it was goes on. */
  private note(routine: string, trigger: string, cron: string | undefined): void {
    const spans = this.spans.get(routine) ?? [];
    const last = spans.findLast((span) => span.trigger === trigger && span.to === Infinity);
    if (last?.cron === cron) return;
    if (last) last.to = this.now();
    if (cron !== undefined) spans.push({ trigger, cron, from: this.now(), to: Infinity });
    this.spans.set(routine, spans);
  }

  private async closeTasks(): Promise<void> {
    const news = await this.ledger.ports.store.readAll<LedgerEvent>({ after: this.looked, limit: 1_000_000 });
    this.looked = news.at(-1)?.position ?? this.looked;
    for (const { type, subject: task } of news)
      if (type === 'TaskOpened') await this.ledger.send(setTaskStatus, { task, status: 'done' });
  }
}

const never = new AbortController().signal;

describe(`a year of ten routines (SEED=${seed})`, () => {
  const year = new Year(seeded(seed));
  let events: Map<string, Recorded<RoutineEvent>[]>;
  beforeAll(async () => {
    await year.pass();
    events = new Map();
    for (const { routine } of plans) events.set(routine, await year.ledger.ports.store.readStream(`routine-acme.${routine}`));
    const told = [...events.values()].flatMap(outcomesOf);
    console.log(
      `${told.filter(({ isFire }) => isFire).length} fires, ${told.filter(({ isFire }) => !isFire).length} facts of missed slots`,
    );
  });
  const outcomes = (routine: string) => outcomesOf(events.get(routine)!);

  it.each(plans)('gives each slot of $routine exactly one outcome', (plan) => {
    for (const { id, zone, dst } of plan.triggers) {
      const spans = year.spans.get(plan.routine)!.filter(({ trigger }) => trigger === id);
      const slots = spans.flatMap((span) => slotsOf(span, zone, dst, plan));
      const times = new Map(slots.map((slot) => [slot, 0]));
      for (const { first, last, count } of outcomes(plan.routine).filter(({ trigger }) => trigger === id)) {
        const covered = first === last ? [first] : slots.filter((slot) => first <= slot && slot <= last);
        expect(covered).toHaveLength(count);
        for (const slot of covered) times.set(slot, (times.get(slot) ?? Infinity) + 1);
      }
      const late = offsetMs('acme', plan.routine, id, plan.spreadSec ?? 0);
      const wrong = [...times].filter(([slot, told]) => told !== 1 && !(told === 0 && slot + late > end));
      expect(wrong.map(([slot, told]) => `${new Date(slot).toISOString()}: ${told}`)).toEqual([]);
      expect(slots.length).toBeGreaterThan(0);
    }
  });

  it.each(plans)('settles each fire of $routine once', ({ routine }) => {
    const fired = events.get(routine)!.flatMap((event) => (event.type === 'RoutineFired' ? [event.data.fire] : []));
    const settled = events.get(routine)!.flatMap((event) => settledBy(event) ?? []);
    expect(settled.toSorted()).toEqual(fired.toSorted());
    expect(new Set(fired).size).toBe(fired.length);
  });

  it.each(plans)('fires no more slots of $routine at once than its policy says', ({ routine, catchUp }) => {
    const times = new Map<string, number>();
    for (const { isFire, trigger, at: time } of outcomes(routine))
      if (isFire) times.set(`${trigger} ${time}`, (times.get(`${trigger} ${time}`) ?? 0) + 1);
    expect(Math.max(...times.values())).toBeLessThanOrEqual(catchUp === undefined ? 1 : 25);
  });
});

interface Told {
  readonly isFire: boolean;
  /** when it was recorded */
  readonly at: string;
  readonly trigger: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** What was recorded of slots: of one, or of several together. */
const outcomesOf = (events: readonly Recorded<RoutineEvent>[]): Told[] => events.flatMap((event) => toldBy(event) ?? []);

function toldBy({ type, data }: Recorded<RoutineEvent>): Told | undefined {
  if (type === 'SlotsMissed') {
    const { trigger, first, last, count, missedAt } = data;
    return { isFire: false, at: missedAt, trigger, first: Date.parse(first), last: Date.parse(last), count };
  }
  if (type !== 'RoutineFired' || data.slot === null || data.trigger === null) return undefined;
  const slot = Date.parse(data.slot);
  return { isFire: true, at: data.firedAt, trigger: data.trigger, first: slot, last: slot, count: 1 };
}

function slotsOf({ cron, from, to }: Span, zone: string, dst: DstPolicy, { activeFrom, activeUntil }: Plan): number[] {
  const first = Math.max(from + 1, activeFrom === undefined ? 0 : Date.parse(activeFrom));
  const last = Math.min(to + 1, end + 1, activeUntil === undefined ? Infinity : Date.parse(activeUntil));
  return slotsByHand(cron, zonePieces.get(zone)!, dst, first, last);
}

function settledBy({ type, data }: Recorded<RoutineEvent>): string | undefined {
  switch (type) {
    case 'FireCreated':
    case 'FireCoalesced':
    case 'FireSkipped':
    case 'FireSuppressed':
    case 'FireFailed':
      return data.fire;
    default:
      return undefined;
  }
}
