import { AgentsController } from './agents.controller.js';
import { AuditController } from './audit.controller.js';
import { AsOfSchemasController } from './as-of-schemas.controller.js';
import { BeatsController } from './beats.controller.js';
import { ClaimsController } from './claims.controller.js';
import { ClockController } from './clock.controller.js';
import { CommentsController } from './comments.controller.js';
import { CompaniesController } from './companies.controller.js';
import { EventsController } from './events.controller.js';
import { FiresController } from './fires.controller.js';
import { HealthController } from './health.controller.js';
import { HooksController } from './hooks.controller.js';
import { MetricsController } from './metrics.controller.js';
import { OverviewController } from './overview.controller.js';
import { ParkedReactionsController } from './parked-reactions.controller.js';
import { ParkedController } from './parked.controller.js';
import { ProjectionsController } from './projections.controller.js';
import { RebuildsController } from './rebuilds.controller.js';
import { ReplayController } from './replay.controller.js';
import { RetriesController } from './retries.controller.js';
import { RoutinesController } from './routines.controller.js';
import { RunsController } from './runs.controller.js';
import { StreamController } from './stream.controller.js';
import { TasksController } from './tasks.controller.js';
import { TriggerSecretsController } from './trigger-secrets.controller.js';
import { WakeupsController } from './wakeups.controller.js';
import { WhatIfController } from './what-if.controller.js';
import { WhyController } from './why.controller.js';

/** Every resource of the API; /openapi.json is made from this list. */
export const controllers = [
  CompaniesController,
  AgentsController,
  ClaimsController,
  TasksController,
  CommentsController,
  WakeupsController,
  RunsController,
  BeatsController,
  ReplayController,
  RetriesController,
  RoutinesController,
  TriggerSecretsController,
  FiresController,
  HooksController,
  WhyController,
  OverviewController,
  EventsController,
  StreamController,
  HealthController,
  MetricsController,
  ProjectionsController,
  ParkedController,
  RebuildsController,
  AsOfSchemasController,
  ParkedReactionsController,
  AuditController,
  WhatIfController,
  ClockController,
];
