import { walk } from './play.js';

const isLong = process.env.LEDGER_TEST_LONG !== undefined;
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

it(
  `does what the reference does, where some of what may be asked never is (SEED=${seed})`,
  () => walk(seed, Number(process.env.N ?? (isLong ? 50_000 : 1_500)), 60),
  36_000_000,
);
