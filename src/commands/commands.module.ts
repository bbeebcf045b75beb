import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { CommandHandler, CqrsModule } from '@nestjs/cqrs';
import { catalogue, CommandPorts, type Execution } from './catalogue.js';
import { contextOf, Dispatch } from './dispatch.js';

/** Makes a Nest command handler of every command in the catalogue. */
@Module({})
export class CommandsModule {
  /** `imports` bring a provider of CommandPorts. */
  static with(...imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: CommandsModule,
      imports: [CqrsModule.forRoot(), ...imports],
      providers: [Dispatch, ...catalogue.map(handlerOf)],
      exports: [Dispatch],
    };
  }
}

function handlerOf({ command, execute }: Execution): Provider {
  class Handler {
    constructor(private readonly ports: CommandPorts) {}

    execute(sent: object) {
      return execute(sent, contextOf(sent), this.ports);
    }
  }
  CommandHandler(command)(Handler);
  Reflect.defineMetadata('design:paramtypes', [CommandPorts], Handler);
  return Handler;
}
