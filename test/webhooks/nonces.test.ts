import { randomUUID } from 'node:crypto';
import { WebhookNonces } from '../../src/webhooks/nonces.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

let database: TestDatabase;
let now = new Date('2026-04-01T08:00:00.000Z');
const nonces = () => new WebhookNonces(database.pool, { now: () => now });
beforeAll(async () => (database = await freshDatabase()));
afterAll(() => database.drop());

const address = Buffer.alloc(32, 1);
const signature = (byte: number, over = {}) => ({ address, nonce: Buffer.alloc(32, byte), keptMs: 600_000, ...over });

it('belongs to the command that came first with it, until that is decided and after', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  expect(await nonces().reserve(signature(1), first)).toEqual({ commandId: first, isSettled: false });
  expect(await nonces().reserve(signature(1), second)).toEqual({ commandId: first, isSettled: false });
  await nonces().settle(signature(1));
  expect(await nonces().reserve(signature(1), second)).toEqual({ commandId: first, isSettled: true });
});

it('belongs to one command when many come at once', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => nonces().reserve(signature(2), randomUUID())));
  expect(new Set(answers.map(({ commandId }) => commandId)).size).toBe(1);
});

it('is another one at another address', async () => {
  const elsewhere = signature(3, { address: Buffer.alloc(32, 2) });
  const [one, other] = [randomUUID(), randomUUID()];
  await nonces().reserve(signature(3), one);
  expect(await nonces().reserve(elsewhere, other)).toEqual({ commandId: other, isSettled: false });
});

it('is forgotten when its time is over and not before, some at a time', async () => {
  await database.pool.query('delete from webhook_nonces');
  for (const byte of [4, 5]) await nonces().reserve(signature(byte), randomUUID());
  now = new Date(now.getTime() + 600_000);
  expect(await nonces().expire(10)).toBe(0);
  now = new Date(now.getTime() + 1);
  expect([await nonces().expire(1), await nonces().expire(1), await nonces().expire(1)]).toEqual([1, 1, 0]);
});
