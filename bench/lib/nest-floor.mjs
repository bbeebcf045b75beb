// What a validated command costs on this stack before anything is kept: Nest on fastify, the fields of PutTask, and an answer.
// [port]; says "ready" when it listens.
import 'reflect-metadata';
import { Body, Controller, Module, Param, Put, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

class TaskFields {}
const fields = {
  title: [IsString(), MaxLength(500)],
  kind: [IsOptional(), IsIn(['issue', 'heartbeat', 'routine'])],
  status: [IsOptional(), IsIn(['backlog', 'todo', 'in_progress', 'in_review', 'done', 'blocked', 'cancelled'])],
  priority: [IsOptional(), IsIn(['critical', 'high', 'medium', 'low'])],
  assignee: [IsOptional(), Matches(/^[a-z0-9][a-z0-9-]{0,62}$/)],
  parent: [IsOptional(), IsString()],
  labels: [IsOptional(), IsArray(), ArrayMaxSize(50), IsString({ each: true }), MaxLength(100, { each: true })],
};
for (const [field, decorators] of Object.entries(fields))
  for (const decorate of decorators) decorate(TaskFields.prototype, field);

class Tasks {
  put(company, task, described) {
    return {
      id: task,
      company,
      kind: 'issue',
      status: 'todo',
      priority: 'medium',
      parent: null,
      labels: [],
      ...described,
      revision: 0,
    };
  }
}
Controller('v1/companies/:company/tasks')(Tasks);
Put(':task')(Tasks.prototype, 'put', Object.getOwnPropertyDescriptor(Tasks.prototype, 'put'));
[Param('company'), Param('task'), Body()].forEach((decorate, at) => decorate(Tasks.prototype, 'put', at));
Reflect.defineMetadata('design:paramtypes', [String, String, TaskFields], Tasks.prototype, 'put');

class Floor {}
Module({ controllers: [Tasks] })(Floor);

const app = await NestFactory.create(Floor, new FastifyAdapter(), { logger: ['error'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
await app.listen(Number(process.argv[2]), '127.0.0.1');
console.log('ready');
