import type { NewSecret } from '../webhooks/secrets.js';

/** An answer that tells secrets of webhooks, as it is told once. */
export interface TellsSecrets {
  readonly webhooks?: readonly NewSecret[];
  /** instead of them, where the same is asked again under its idempotency key */
  readonly note?: string;
}

/** The answer as it is kept: a sentence in the place of the secrets. */
export function withoutSecrets<Answer extends TellsSecrets>({ webhooks, ...answer }: Answer): object {
  if (!webhooks) return answer;
  const triggers = webhooks.map(({ trigger }) => trigger).join(', ');
  return {
    ...answer,
    note: `the address and secret of ${triggers} were shown once, in the first answer: rotate them to get others`,
  };
}
