import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** What the framework has to say goes into the same log; its chatter at the start only for those who debug. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: (message: unknown) => log.debug(message),
  debug: (message: unknown) => log.debug(message),
  verbose: (message: unknown) => log.trace(message),
  warn: (message: unknown) => log.warn(message),
  error: (message: unknown) => log.error(message),
  fatal: (message: unknown) => log.fatal(message),
});
