import { Controller, Post, Put } from '@nestjs/common';
import { holdCompany, nameCompany, releaseCompany } from '../commands/company.js';
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

  @Post('hold')
  @Documented({ summary: 'Holds all that a company has to do', takes: holdCompany.command, answers: 'Company' })
  hold(@Call() call: Exchange) {
    return this.door.send(holdCompany, call, { show: ({ company }) => company });
  }

  @Post('release')
  @Documented({ summary: 'Lets go on what was held', takes: releaseCompany.command, answers: 'Company' })
  release(@Call() call: Exchange) {
    return this.door.send(releaseCompany, call, { show: ({ company }) => company });
  }
}
