import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { rangeSize, readPublicKey } from '../audit/chain.js';
import { checkProof, Unproven, type Proof } from '../audit/proof.js';
import { NoProof, readProof } from '../audit/read-proof.js';
import type { Verification } from '../audit/verifier.js';
import { positionInWords } from '../events/positions.js';
import { count } from './count.js';
import { openDoor, verb, type Door, type DoorOptions } from './door.js';
import { wholeNumber } from './options.js';
import { Output, type Format } from './output.js';
import { Ended, exitCodes, Usage } from './problem.js';
import { ProgressBar } from './progress-bar.js';

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('evidence that the log is what it was: sealed ranges, and proofs of events');

  verb(audit, 'verify', 'compare the log with what was sealed of it')
    .option('--from <range>', 'the first range to look at; those before it are taken for good', wholeNumber)
    .option('--key <file>', 'the Ed25519 public key (PEM) that has to have signed every range')
    .addHelpText('after', '\nExit code 0: the log is as it was sealed; 7: it is not, or nobody of that key has signed it.')
    .action((options: VerifyOptions) => verify(openDoor(options), options));

  verb(
    audit,
    'prove <position>',
    'write a proof of the event at a position: JSON, for whoever has neither the log nor its server',
  ).action((position: string, options: DoorOptions) => prove(openDoor(options), position));

  verb(audit, 'check <file>', 'check a proof; needs no server')
    .option('--key <file>', 'the Ed25519 public key (PEM) that has to have signed it')
    .addHelpText('after', '\nExit code 0: it holds; 7: it does not; 1: it is no proof at all.')
    .action((file: string, options: { output?: Format; key?: string }) => check(file, options));
}

interface VerifyOptions extends DoorOptions {
  from?: number;
  key?: string;
}

/** So many ranges are looked at in one request: a few seconds. */
const pageSize = 64;

async function verify(door: Door, { from = 0, key: file }: VerifyOptions): Promise<void> {
  const key = file === undefined ? undefined : keyIn(file);
  const whole = await verification(door, from, key);
  door.output.did(whole, saidOf(whole).join('\n'));
  if (!whole.ok) throw new Ended(exitCodes.drift);
}

/** Page by page; says on the way how far it has come. */
async function verification({ client, output: { color } }: Door, from: number, key: string | undefined): Promise<Verification> {
  const bar = new ProgressBar(color);
  const page = (next: number) => client.get<Verification>('/v1/audit/verify', { from: next, limit: pageSize, key });
  try {
    let whole = await page(from);
    while (whole.next !== undefined) {
      const [done, total] = [whole.ranges * rangeSize, (whole.sealed - from) * rangeSize];
      bar.show({ name: 'audit verify', progress: { done, total } });
      whole = joined(whole, await page(whole.next));
    }
    return whole;
  } finally {
    bar.end();
  }
}

function joined(before: Verification, page: Verification): Verification {
  const ranges = new Map(before.signers.map((signer) => [signer.key, signer.ranges]));
  for (const signer of page.signers) ranges.set(signer.key, (ranges.get(signer.key) ?? 0) + signer.ranges);
  const signers = [...ranges].map(([key, signed]) => ({ key, ranges: signed }));
  return { chain: before.chain, ...page, from: before.from, ranges: before.ranges + page.ranges, signers };
}

function saidOf({ ok, from, ranges, chain, signers, tail, firstBad, head }: Verification): string[] {
  return [
    ...(firstBad ? [`✗ range ${firstBad.range} (${spanOf(firstBad)}): ${firstBad.sentence}`] : []),
    ...(ranges > 0 ? [`${ok ? '✓' : '  before it,'} ${goodOf(from, ranges)}`] : []),
    ...(ok && ranges === 0 ? [`✓ nothing is sealed ${from > 0 ? `from range ${from} on` : 'yet'}`] : []),
    ...signers.map((signer) => `  ${count(signer.ranges)} signed by ${signer.key ?? 'nobody'}`),
    ...(chain ? [`  chain ${chain}`] : []),
    ...(tail
      ? [
          `  not sealed yet: ${count(tail.events)}${tail.orMore ? ' or more' : ''} events behind ${positionInWords(tail.after)}; the log ends at ${positionInWords(head)}`,
        ]
      : []),
  ];
}

function goodOf(from: number, ranges: number): string {
  const which = `${count(ranges)} sealed ${ranges === 1 ? 'range' : 'ranges'}${from > 0 ? ` from range ${from} on` : ''}`;
  return `${which}, ${count(ranges * rangeSize)} events: each is as it was sealed`;
}

const spanOf = ({ first, last }: { first: string; last: string }): string =>
  `positions ${positionInWords(first)} to ${positionInWords(last)}`;

async function prove({ client, output }: Door, position: string): Promise<void> {
  const proof = await client.get<Proof>(`/v1/audit/proof/${encodeURIComponent(position)}`);
  output.line(JSON.stringify(proof, null, 2));
}

/** Reads no setting but its own options: who checks a proof has no ledger. */
function check(file: string, { output: format, key: keyFile }: { output?: Format; key?: string }): void {
  const output = new Output(format, false);
  const key = keyFile === undefined ? undefined : keyIn(keyFile);
  const verdict = verdictOf(readText(file), key);
  output.did({ ok: verdict.ok, sentence: verdict.sentence }, `${verdict.ok ? '✓' : '✗'} ${verdict.sentence}`);
  if (!verdict.ok) throw new Ended(verdict.exitCode);
}

type Verdict = { ok: true; sentence: string } | { ok: false; sentence: string; exitCode: 1 | 7 };

function verdictOf(text: string, key: string | undefined): Verdict {
  try {
    return { ok: true, sentence: checkProof(readProof(text), key) };
  } catch (error) {
    if (error instanceof Unproven)
      return { ok: false, sentence: `the proof does not hold: ${error.message}`, exitCode: exitCodes.drift };
    if (error instanceof NoProof) return { ok: false, sentence: error.message, exitCode: exitCodes.failure };
    throw error;
  }
}

function keyIn(file: string): string {
  const key = readPublicKey(readText(file));
  if (key === undefined) throw new Usage(`${file} has no Ed25519 public key in it: give the output of openssl pkey -pubout`);
  return key;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
