import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemType } from './answers.js';
import type { Reply } from './call.js';
import { problemOf } from './problem.js';

/** The one place in which errors become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<{ url: string }>(), http.getResponse<Reply>());
  }
}

export function sendProblem(error: unknown, { url }: { url: string }, reply: Reply): void {
  const problem = problemOf(error, url);
  if (problem.code === 'internal') logger.error(error instanceof Error ? error.stack : error);
  if (problem.retryable) void reply.header('retry-after', '1');
  void reply.status(problem.status).header('content-type', problemType).send(JSON.stringify(problem));
}

const logger = new Logger('http');
