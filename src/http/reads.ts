import { Injectable } from '@nestjs/common';
import { Rejected, type RejectedCode } from '../commands/decider.js';
import { Progress } from '../projections/projector/progress.js';
import { etag } from './answers.js';
import type { Exchange } from './call.js';
import { minPositionOf } from './headers.js';

/** What all reads have in common. */
@Injectable()
export class Reads {
  constructor(private readonly progress: Progress) {}

  /** Waits until these read models show what `Ledger-Min-Position` asks for. @throws ProjectionBehind after 2 s */
  async upTo(call: Exchange, ...projections: readonly { readonly name: string }[]): Promise<void> {
    const position = minPositionOf(call);
    if (position)
      await this.progress.reached(
        projections.map(({ name }) => name),
        position,
      );
  }
}

/** One thing, with its revision for `If-Match`. */
export function one<T extends { readonly revision: number }>({ reply }: Exchange, thing: T | undefined, missing: Missing): T {
  const found = present(thing, missing);
  void reply.header('etag', etag(found.revision));
  return found;
}

export function present<T>(thing: T | undefined, { code, name }: Missing): T {
  if (thing === undefined) throw new Rejected(code, `there is no ${code.slice(0, code.indexOf('_'))} ${name}`);
  return thing;
}

interface Missing {
  readonly code: Extract<RejectedCode, `${string}_not_found`>;
  readonly name: string;
}
