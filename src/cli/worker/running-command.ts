import type { Ending } from './finish.js';
import { OutputTail } from './output-tail.js';
import { ProcessGroup } from './process-group.js';
import { readResultFile } from './result-file.js';
import type { RunFolder } from './run-folder.js';
import { RunOutput } from './run-output.js';

/** Where the output of a run goes. */
export interface Listeners {
  readonly logFile: string;
  readonly terminal: (line: string) => void;
}

/** A group and what it says, from its start, or from where a former worker has left it. */
export class RunningCommand {
  readonly group: ProcessGroup;
  private readonly output: RunOutput;
  private readonly tail: OutputTail;

  /** `begin` is called when everything is there that it needs. */
  constructor(
    private readonly folder: RunFolder,
    { logFile, terminal }: Listeners,
    begin: () => ProcessGroup,
  ) {
    this.output = new RunOutput(logFile, terminal);
    this.tail = new OutputTail(folder, this.output);
    this.group = begin();
    this.tail.start();
  }

  note(line: string): void {
    this.output.note(line);
  }

  progress(): ReturnType<RunOutput['progress']> {
    return this.output.progress();
  }

  async ended(): Promise<Omit<Ending, 'stop'> & { ignored: readonly string[] }> {
    const exit = await this.group.exited;
    this.tail.end();
    return { exit, lastErrors: this.output.lastErrors(), ...readResultFile(this.folder.resultFile) };
  }

  close(): void {
    this.output.close();
  }

  /** Nobody wants to know any more how it ends. */
  abandon(): void {
    this.group.kill();
    this.tail.end();
    this.output.close();
  }
}

/** What a command has said that is dead, and that nobody has read. Answers its last errors. */
export function readToTheEnd(folder: RunFolder, { logFile, terminal }: Listeners): string {
  const output = new RunOutput(logFile, terminal);
  new OutputTail(folder, output).end();
  output.close();
  return output.lastErrors();
}
