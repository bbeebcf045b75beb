import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.js';

/** Where the ledger says what an operator should know, in sentences: each trouble once when it begins and once when it is over. */
export interface Log {
  info(sentence: string): void;
  warn(sentence: string): void;
  error(sentence: string): void;
}

/** What must not be read in a log, wherever it stands in what is logged. */
const secrets = ['password', 'token', 'secret', 'authorization', 'cookie', 'lease'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** JSON lines on stderr; for people where stderr is a terminal. */
export function createLog(level: LogLevel): Logger {
  const options = { level, base: undefined, redact: { paths: secrets, censor: '***' } };
  return process.stderr.isTTY
    ? pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }))
    : pino(options, pino.destination(2));
}
