import { walk } from './play.js';
import { isLong, seed } from './seed.js';

it(
  `does what the reference does, where some of what may be asked never is (SEED=${seed})`,
  () => walk(seed, Number(process.env.N ?? (isLong ? 50_000 : 1_500)), 60),
  36_000_000,
);
