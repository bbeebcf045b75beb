import { walk } from './play.js';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

it(`does what the reference does (SEED=${seed})`, () => walk(seed, Number(process.env.WALKS ?? 50), 60), 600_000);
