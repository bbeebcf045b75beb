import type { Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { AnswerName } from './answer-examples.js';
import type { ProblemCode } from './problem.js';

/** What /openapi.json says of a route beyond its path, its method and the conventions. */
export interface Documentation {
  /** what it does, as a sentence without its end */
  readonly summary: string;
  /** the class whose fields come in the path and the body, of a GET in the path and the query */
  readonly takes?: Type<object>;
  /** what a body may hold that is a sender's own JSON and no command's fields */
  readonly body?: string;
  /** parameters of the query beside a body */
  readonly query?: Type<object>;
  /** `Run[]`: a page of them; one whose example is text is a stream of server-sent events, which goes on from a Last-Event-ID */
  readonly answers: AnswerName | `${AnswerName}[]`;
  /** media type of an answer that is neither JSON nor such a stream */
  readonly mediaType?: string;
  /** default 200 */
  readonly status?: readonly number[];
  /** of a route that changes something: those that it heeds; default all */
  readonly headers?: readonly (CommandHeader | (typeof signatureHeaders)[number])[];
  /** beside what the conventions refuse */
  readonly refuses?: readonly ProblemCode[];
}

/** The headers that come with a command; the names are those of the parameters in /openapi.json. */
export const commandHeaders = ['IdempotencyKey', 'IfMatch', 'Actor'] as const;
export type CommandHeader = (typeof commandHeaders)[number];
/** Those that show who calls a webhook. */
export const signatureHeaders = ['LedgerTimestamp', 'LedgerSignature', 'HubSignature', 'Bearer'] as const;

export const Documented = Reflector.createDecorator<Documentation>();
