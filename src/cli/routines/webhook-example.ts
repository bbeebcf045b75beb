import type { RoutineView } from '../../commands/routines/routine-view.js';
import type { Signing, WebhookTrigger } from '../../events/routine.js';

type Called = Pick<RoutineView, 'triggers' | 'variables'>;

/** How a webhook is called from a shell; the secret itself is not written where others look. */
export function exampleOf({ triggers, variables }: Called, trigger: string, url: string): string {
  const webhook = triggers.find((one): one is WebhookTrigger => one.id === trigger && one.kind === 'webhook');
  const signing = webhook?.signing ?? 'none';
  const words = [`curl -s ${url}`, `-H 'content-type: application/json'`, ...proofs[signing], `-d "$body"`];
  const before = [`body='${bodyFor(variables)}'`, ...(signing === 'hmac_sha256' ? ['now=$(date +%s)'] : [])];
  return [`  ${before.join('; ')}`, `  ${words.join(' \\\n    ')}`].join('\n');
}

function bodyFor(variables: Called['variables']): string {
  const asked = variables.filter((variable) => variable.required && variable.default === null);
  return JSON.stringify(asked.length > 0 ? { variables: Object.fromEntries(asked.map(({ name }) => [name, '…'])) } : {});
}

const digest = (text: string) => `$(printf %s "${text}" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d ' ' -f 1)`;

const proofs: Readonly<Record<Signing, readonly string[]>> = {
  bearer: ['-H "authorization: Bearer $SECRET"'],
  hmac_sha256: ['-H "ledger-timestamp: $now"', `-H "ledger-signature: sha256=${digest('$now.$body')}"`],
  github_hmac: [`-H "x-hub-signature-256: sha256=${digest('$body')}"`],
  none: [],
};
