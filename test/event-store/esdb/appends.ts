import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, sendUnaryData, StatusObject } from '@grpc/grpc-js';
import { alone, inBatch, type Answer, type AppendLimits } from './answers.js';
import type { AppendFault, Faults } from './faults.js';
import type { ServerLog } from './log.js';
import { appendOf, type Append } from './proposals.js';
import * as statuses from './statuses.js';

type BatchCall = ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;
type SingleCall = ServerReadableStream<streams.AppendReq, streams.AppendResp>;

/** What it cannot read, it answers at once, and once more when so much time has passed: the client throws at the second answer. */
const writeTimeoutMs = 2_000;

/** The two ways to append: one long call with many appends in it, and a call for each. */
export class Appends {
  /** How many appends have arrived, whatever became of them. */
  received = 0;
  /** Ids that are written and whose answer is still to come: again now, they end in a time-out. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly log: ServerLog,
    private readonly faults: Faults,
    private readonly limits: AppendLimits,
    private readonly cut: () => void,
  ) {}

  batch(call: BatchCall): void {
    const halves = new Map<string, streams.BatchAppendReq[]>();
    call.on('data', (request: streams.BatchAppendReq) => {
      const correlation = request.getCorrelationId()?.getString() ?? '';
      const parts = [...(halves.get(correlation) ?? []), request];
      if (request.getIsFinal()) halves.delete(correlation);
      else halves.set(correlation, parts);
      if (request.getIsFinal()) void this.answerInBatch(call, parts);
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }

  single(call: SingleCall, answer: sendUnaryData<streams.AppendResp>): void {
    const parts: streams.AppendReq[] = [];
    call.on('data', (request: streams.AppendReq) => parts.push(request));
    call.on('error', () => {});
    call.on('end', () => void this.answerSingle(parts, answer));
  }

  private async answerInBatch(call: BatchCall, parts: readonly streams.BatchAppendReq[]): Promise<void> {
    const options = parts[0]!.getOptions()!;
    const append = appendOf(
      options,
      parts.flatMap((part) => part.getProposedMessagesList()),
    );
    const response = () =>
      new streams.BatchAppendResp()
        .setCorrelationId(parts[0]!.getCorrelationId())
        .setStreamIdentifier(options.getStreamIdentifier());
    const timedOut = () => call.write(response().setError(statuses.batchTimedOut()));
    await this.answer(append, {
      answered: (answer) => {
        call.write(inBatch(response(), append, answer, this.limits));
        if (answer.outcome === 'bad-request') setTimeout(timedOut, writeTimeoutMs).unref();
      },
      timedOut,
      broken: (status) => call.emit('error', status),
    });
  }

  private async answerSingle(parts: readonly streams.AppendReq[], answer: sendUnaryData<streams.AppendResp>): Promise<void> {
    const options = parts[0]!.getOptions()!;
    const proposed = parts.flatMap((part) => part.getProposedMessage() ?? []);
    const append = appendOf(options, proposed);
    await this.answer(append, {
      answered: (result) => alone(append, result, this.limits, answer),
      timedOut: () => answer(statuses.timedOut()),
      broken: (status) => answer(status),
    });
  }

  private async answer(append: Append, told: Told): Promise<void> {
    this.received += 1;
    const fault = this.faults.appends.next();
    const keys = append.events.map(({ id }) => `${append.stream} ${id}`);
    if (keys.some((key) => this.underWay.has(key))) return told.timedOut();
    for (const key of keys) this.underWay.add(key);
    const answer = fault?.written === false ? undefined : this.perform(append);
    await this.faults.delay();
    for (const key of keys) this.underWay.delete(key);
    if (answer && (!fault || fault.then === 'answered-twice')) told.answered(answer);
    if (fault) this.goWrong(fault, told);
  }

  private perform({ stream, expected, events, deadline }: Append): Answer {
    if (deadline && deadline.getTime() < Date.now()) return { outcome: 'too-late' };
    if (stream === '' || events.some(({ id, type }) => type === '' || !isId(id))) return { outcome: 'bad-request' };
    if (events.reduce((sum, { data }) => sum + data.length, 0) > this.limits.maxAppendSize) return { outcome: 'too-large' };
    return this.log.append(stream, expected, events);
  }

  private goWrong({ then, leader }: AppendFault, told: Told): void {
    if (then === 'cut') this.cut();
    if (then === 'deadline-exceeded' || then === 'answered-twice') told.timedOut();
    if (then === 'unavailable') told.broken(statuses.unavailable());
    if (then === 'unknown') told.broken(statuses.broken());
    if (then === 'not-leader') told.broken(statuses.notLeader(leader ?? 0));
  }
}

interface Told {
  answered(answer: Answer): void;
  timedOut(): void;
  broken(status: StatusObject): void;
}

const isId = (id: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id) && /[1-9a-f]/.test(id);
