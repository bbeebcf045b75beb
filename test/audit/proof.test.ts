import fc from 'fast-check';
import type pg from 'pg';
import { publicKeyOf } from '../../src/audit/chain.js';
import { dataHashOf } from '../../src/audit/leaf.js';
import { checkProof, type Proof } from '../../src/audit/proof.js';
import { Prover } from '../../src/audit/prover.js';
import { readProof } from '../../src/audit/read-proof.js';
import { createPool } from '../../src/database.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { auditOf, filledLog, keyPair, seal } from './log.js';

let database: TestDatabase;
let db: pg.Pool;
let prover: Prover;
const ours = keyPair();

beforeAll(async () => {
  database = await freshDatabase();
  db = createPool(database.url, 'admin');
  await filledLog(database.url, 2_100);
  const { events, ranges } = auditOf(db);
  prover = new Prover(events, ranges);
  await seal(db, ours.privateKey);
});
afterAll(async () => {
  await db.end();
  await database.drop();
});

const at = (position: number) => String(position).padStart(16, '0');

async function proofOf(position: number): Promise<Proof> {
  const proving = await prover.prove(at(position));
  if (proving.outcome !== 'proved') throw new Error(proving.sentence);
  return proving.proof;
}

const holds = (text: string, key?: string): boolean => {
  try {
    checkProof(readProof(text), key);
    return true;
  } catch {
    return false;
  }
};

it.each([1, 2, 1_023, 1_024, 1_025, 1_500, 2_048])(
  'proves the event at position %d to whoever has the key only',
  async (position) => {
    const proof = readProof(JSON.stringify(await proofOf(position)));
    expect(checkProof(proof, publicKeyOf(ours.publicKey))).toMatch(
      new RegExp(
        `^CommentAdded [0-9a-f-]{36}, revision \\d+ of task-acme.T-\\d+, recorded .* at position ${position}, is in range [01] .* as expected.$`,
      ),
    );
    expect(() => checkProof(proof, publicKeyOf(keyPair().publicKey))).toThrow(
      /is signed by sha256:\w+, and sha256:\w+ was expected/,
    );
  },
);

const changedAt = (text: string, index: number, char: string) => text.slice(0, index) + char + text.slice(index + 1);

/** Without the signature, every byte has to follow from the others, except where nobody can know better. */
it.each(['signed', 'unsigned'])('does not hold when any character of a %s proof is another', async (kind) => {
  const { range, ...rest } = await proofOf(1_500);
  const { signature, publicKey, ...bare } = range;
  const text = JSON.stringify({ ...rest, range: kind === 'signed' ? { ...bare, signature, publicKey } : bare });
  expect(holds(text)).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.length - 1 }), fc.constantFrom(...'0123456789abcdefxz ".-'), (index, char) => {
      fc.pre(text[index] !== char);
      expect({ index, char, holds: holds(changedAt(text, index, char)) }).toEqual({ index, char, holds: false });
    }),
    { numRuns: 2_000 },
  );
});

it('does not hold for an event that is said to stand elsewhere', async () => {
  const { range, ...proof } = await proofOf(1_500);
  const { signature: _, publicKey: __, ...bare } = range;
  const moved = { ...bare, range: 2, first: at(2_049), last: at(3_072) };
  expect(() => checkProof({ ...proof, range: moved })).toThrow('position 1500 is not event 475 of range 2');
});

it('holds without the data, and says that it proves no more than their hash', async () => {
  const { event, ...proof } = await proofOf(1_500);
  const { data, ...witnessed } = event;
  expect(dataHashOf(data!)).toBe(event.dataHash);
  const redacted = readProof(JSON.stringify({ ...proof, event: witnessed }));
  expect(checkProof(redacted)).toContain('of whose data only the hash is given');
  expect(() => checkProof({ ...redacted, event: { ...witnessed, data: { ...data, zulu: 99 } } })).toThrow('do not have the hash');
});

it('says what a proof without a signature is worth', async () => {
  const { range, ...proof } = await proofOf(7);
  const { signature: _, publicKey: __, ...bare } = range;
  expect(checkProof({ ...proof, range: bare })).toContain('Nobody has signed the range');
  expect(() => checkProof({ ...proof, range: bare }, publicKeyOf(ours.publicKey))).toThrow(
    'nobody has signed the range, and sha256:',
  );
});

it.each([
  ['{', 'this is no JSON'],
  ['[]', 'the proof is []'],
  ['{"format":"run-ledger audit proof 2"}', 'this version reads "run-ledger audit proof 1"'],
])('says of %s that it is no proof', (text, words) => {
  expect(() => readProof(text)).toThrow(words);
});

it('refuses what it would not prove', async () => {
  const proof = await proofOf(3);
  expect(() => readProof(JSON.stringify({ ...proof, note: 'signed by the board' }))).toThrow('unknown field note');
  expect(() => readProof(JSON.stringify({ ...proof, event: { ...proof.event, company: 'evil' } }))).toThrow(
    'unknown field company',
  );
  expect(() => readProof(JSON.stringify({ ...proof, index: '3' }))).toThrow('index of the proof is "3"');
  expect(() => readProof(JSON.stringify({ ...proof, range: { ...proof.range, publicKey: undefined } }))).toThrow('give both');
});

it.each([
  [2_049, 'unsealed', 'position 2049 is in no sealed range: the log is sealed up to position 2048'],
  [2_101, 'nowhere', 'there is no position 2101: the log ends at 2100'],
])('has no proof of position %d: %s', async (position, outcome, sentence) => {
  expect(await prover.prove(at(position))).toMatchObject({ outcome, sentence: expect.stringContaining(sentence) });
});

it('hands out no proof that would not hold', async () => {
  await db.query('alter table events disable trigger all');
  await db.query(`update events set data = '{}' where position = 5`);
  const of6 = await prover.prove(at(6));
  await db.query('delete from events where position = 5');
  const of5 = await prover.prove(at(5));
  expect(of6).toMatchObject({
    outcome: 'broken',
    sentence: expect.stringContaining('range 0 (1 to 1024) is not as it was sealed'),
  });
  expect(of5).toMatchObject({ outcome: 'broken', sentence: expect.stringContaining('no event is at position 5') });
});
