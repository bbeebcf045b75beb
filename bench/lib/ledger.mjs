import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandPorts } from '../../dist/commands/catalogue.js';
import { CommandsModule } from '../../dist/commands/commands.module.js';
import { Dispatch } from '../../dist/commands/dispatch.js';
import { LedgerProcess } from '../../dist/ledger-process.js';

const log = { info: () => {}, warn: console.error, error: console.error };

/** A process of the ledger inside this one, without its HTTP door: its parts, and the door that commands come through. */
export async function openLedger(url, roles = ['api']) {
  const ledger = new LedgerProcess(url, { roles, clock: 'system' }, log);
  await ledger.start();
  const nest = await NestFactory.createApplicationContext(CommandsModule.with(portsModule(ledger)), { logger: ['error'] });
  const dispatch = nest.get(Dispatch);
  ledger.startLoops(dispatch);
  return {
    ledger,
    dispatch,
    async close() {
      await nest.close();
      await ledger.stop();
    },
  };
}

function portsModule(ledger) {
  class Ports {}
  Module({ providers: [{ provide: CommandPorts, useValue: ledger }], exports: [CommandPorts] })(Ports);
  return Ports;
}
