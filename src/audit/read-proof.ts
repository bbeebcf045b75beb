import { proofFormat, type Proof } from './proof.js';

/** What was given is no proof of this format at all; the message names the field. */
export class NoProof extends Error {
  override readonly name = 'NoProof';
}

/** From the text of a file. Nothing may be in it that is not proven: an unknown field is refused. */
export function readProof(text: string): Proof {
  const proof = record('the proof', parsed(text), ['format', 'event', 'index', 'path', 'range', 'chainBefore']);
  if (proof.format !== proofFormat) throw new NoProof(`format is ${shown(proof.format)}: this version reads "${proofFormat}"`);
  check('event', proof.event, eventFields);
  check('range', proof.range, rangeFields);
  check('the proof', proof, { index: whole, chainBefore: hash, path: (value) => Array.isArray(value) && value.every(hash) });
  const { signature, publicKey } = proof.range as Fields;
  if ((signature === undefined) !== (publicKey === undefined))
    throw new NoProof('range has one of signature and publicKey: give both');
  // Every field was looked at.
  return proof as unknown as Proof;
}

type Fields = Readonly<Record<string, unknown>>;
type Test = (value: unknown) => boolean;

const text: Test = (value) => typeof value === 'string';
const whole: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const object: Test = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const hex =
  (bytes: number): Test =>
  (value) =>
    typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);
const hash = hex(32);
const orAbsent =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);

const eventFields: Readonly<Record<string, Test>> = {
  position: text,
  stream: text,
  revision: whole,
  id: text,
  type: text,
  schema: whole,
  recordedAt: text,
  metadata: object,
  dataHash: hash,
  data: orAbsent(object),
};

const rangeFields: Readonly<Record<string, Test>> = {
  range: whole,
  first: text,
  last: text,
  root: hash,
  chain: hash,
  signature: orAbsent(hex(64)),
  publicKey: orAbsent(hex(44)),
};

function check(name: string, value: unknown, tests: Readonly<Record<string, Test>>): void {
  const fields = name === 'the proof' ? (value as Fields) : record(name, value, Object.keys(tests));
  for (const [field, test] of Object.entries(tests))
    if (!test(fields[field])) throw new NoProof(`${field} of ${name} is ${shown(fields[field])}, which is not of its form`);
}

function record(name: string, value: unknown, known: readonly string[]): Fields {
  if (!object(value)) throw new NoProof(`${name} is ${shown(value)}: give what ledger audit prove wrote`);
  const strange = Object.keys(value as Fields).find((field) => !known.includes(field));
  if (strange !== undefined) throw new NoProof(`${name} has the unknown field ${strange}, which nothing would prove`);
  return value as Fields;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NoProof(`this is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 60);
