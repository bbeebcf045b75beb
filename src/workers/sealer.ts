import { Sealer, type SealerPorts } from '../audit/sealer.js';
import { pause } from '../pause.js';
import type { Owners } from '../projections/projector/owner.js';
import type { Loop } from './loop.js';

const everyMs = 1_000;
/** Behind on an old log, it leaves others most of the time. */
const betweenMs = 100;

/** Seals the log as it grows, and an old one little by little. Of all processes, one does. */
export function sealer(ports: SealerPorts & { readonly owners: Owners }): Loop {
  const own = new Sealer(ports);
  return {
    name: 'the sealer of the log',
    reset: () => own.reset(),
    async turn(signal) {
      const ownership = await ports.owners.acquire('audit sealer', signal);
      if (!ownership) return;
      own.reset();
      const until = AbortSignal.any([signal, ownership.signal]);
      try {
        while (ownership.isHeld() && !until.aborted) await pause((await own.advance()) ? betweenMs : everyMs, until);
      } finally {
        await ownership.release();
      }
    },
  };
}
