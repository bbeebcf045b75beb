import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemType } from './answers.js';
import { instanceOf, type Addressed, type Reply } from './call.js';
import { problemOf, type Problem } from './problem.js';

/** The one place in which errors become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<Addressed>(), http.getResponse<Reply>());
  }
}

export function sendProblem(error: unknown, request: Addressed, reply: Reply): void {
  const problem = loggedProblem(error, instanceOf(request));
  if (problem.retryable) void reply.header('retry-after', '1');
  void reply.status(problem.status).header('content-type', problemType).send(JSON.stringify(problem));
}

/** What the client is told; a fault of ours is in the log as well, with what the client is not told. */
export function loggedProblem(error: unknown, url: string): Problem {
  const problem = problemOf(error, url);
  if (problem.code === 'internal') logger.error(error instanceof Error ? error.stack : error);
  return problem;
}

const logger = new Logger('http');
