import { parseArgs } from 'node:util';

/** `npm run bench -- <name> --rounds 5 --seconds 3`: how often each side is measured, and how long each time. */
export function settings({ rounds = 5, seconds = 3 } = {}) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: String(rounds) }, seconds: { type: 'string', default: String(seconds) } },
  });
  return { rounds: positive('rounds', values.rounds), ms: positive('seconds', values.seconds) * 1000 };
}

function positive(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} is "${text}": give a number above 0`);
  return value;
}
