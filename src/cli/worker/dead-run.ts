import { commandEnvironment } from '../../config.js';
import { listenersOf, type Surroundings } from './attempt.js';
import { finishOf, notBegun, processLost, type Finish } from './finish.js';
import { endDescendants, type LeftRun } from './left-runs.js';
import { notedExit } from './process-group.js';
import { readResultFile } from './result-file.js';
import { readToTheEnd } from './running-command.js';
import { conclusion } from './sentences.js';

/** Reports a run that ended while no worker was there: as what its guard has noted, else as lost. What it left running is ended first. */
export async function reportDead(left: LeftRun, around: Surroundings): Promise<void> {
  const { folder, record } = left;
  const ended = await endDescendants(left);
  if (ended > 0) around.say(`${record.run}: ${descendants(ended)} ended, which lived on without it`);
  const finish = finishOfDead(left, ended, readToTheEnd(folder, listenersOf(record.run, around)));
  const finished = await around.reports.send(record.run, finish);
  folder.remove();
  if (finished) around.say(`${conclusion(record.run, finish.outcome, finish.exitCode, finished)}; its worker was gone by then`);
}

function finishOfDead({ folder, record }: LeftRun, ended: number, lastErrors: string): Finish {
  const { token } = record.lease;
  const exit = notedExit(folder, record.file, commandEnvironment().PATH);
  const { said } = readResultFile(folder.resultFile);
  if (exit || record.stop) {
    return finishOf(token, { exit: exit ?? { code: null, signal: null }, stop: record.stop, said, lastErrors });
  }
  if (!record.process && folder.guardPids().leader === undefined) {
    return notBegun(token, 'its worker ended before its command began');
  }
  const why = folder.wasOver ? 'its lease ended while no worker renewed it, and it was ended with it' : 'its process was gone';
  const told = ended > 0 ? `${why}, ${descendants(ended)} ended` : why;
  return { lease: token, outcome: 'failed', ...processLost([told, lastErrors].filter(Boolean).join('\n').slice(0, 8_192)) };
}

const descendants = (n: number): string => `${n} of its descendants ${n === 1 ? 'was' : 'were'}`;
