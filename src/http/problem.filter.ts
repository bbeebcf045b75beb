import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemType } from './answers.js';
import type { Reply, Request } from './call.js';
import { problemOf } from './problem.js';

/** The one place in which errors become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const reply = host.switchToHttp().getResponse<Reply>();
    const problem = problemOf(error, request.url);
    if (problem.code === 'internal') this.logger.error(error instanceof Error ? error.stack : error);
    if (problem.retryable) void reply.header('retry-after', '1');
    void reply.status(problem.status).header('content-type', problemType).send(JSON.stringify(problem));
  }
}
