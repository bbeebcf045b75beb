import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { Slug } from '../commands/fields.js';
import { dropParkedReaction } from '../commands/operations/parked-reaction.js';
import { AllParkedReactions } from '../workers/parked-reactions.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { commandHeaders, Documented } from './documented.js';
import { readOf } from './query.js';

export class ParkedReactionList {
  @IsOptional() @Slug() policy?: string;
}

/** What policies could not carry out. */
@Controller('v1/parked-reactions')
export class ParkedReactionsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reactions: AllParkedReactions,
  ) {}

  @Get()
  @Documented({
    summary: 'Reactions that could not be carried out, and those that wait behind them',
    takes: ParkedReactionList,
    answers: 'ParkedReactions',
  })
  async list(@Call() call: Exchange) {
    return { items: await this.reactions.list(readOf(ParkedReactionList, call).policy) };
  }

  @Post(':reaction/drop')
  @Documented({
    summary: 'Gives a reaction up that could not be carried out',
    takes: dropParkedReaction.command,
    answers: 'DroppedReaction',
    headers: commandHeaders,
    refuses: ['parked_reaction_not_found'],
  })
  drop(@Call() call: Exchange) {
    return this.door.send(dropParkedReaction, call);
  }
}
