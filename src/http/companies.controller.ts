import { Controller, Put } from '@nestjs/common';
import { nameCompany } from '../commands/company.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';

@Controller('v1/companies/:company')
export class CompaniesController {
  constructor(private readonly door: CommandDoor) {}

  @Put()
  @Documented({ summary: 'Gives a company its name', takes: nameCompany.command, answers: 'Company' })
  put(@Call() call: Exchange) {
    return this.door.send(nameCompany, call, { show: ({ company }) => company });
  }
}
