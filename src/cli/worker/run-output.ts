import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { redactText } from '../../commands/redact.js';

const maxLogBytes = 10 * 1024 * 1024;
const maxLine = 16 * 1024;
const tailBytes = 8 * 1024;

/** What a command says: to the worker's terminal and to the run's log, line by line, without secrets, the log with a bound. */
export class RunOutput {
  private readonly fd: number;
  private room: number;
  /** how many pieces it has said */
  seq = 0;
  private saidAt: string | undefined;
  private tail = Buffer.alloc(0);
  private readonly lines = { stdout: new Lines((line) => this.write(line)), stderr: new Lines((line) => this.write(line)) };

  constructor(
    logFile: string,
    private readonly terminal: (line: string) => void,
  ) {
    mkdirSync(dirname(logFile), { recursive: true });
    this.fd = openSync(logFile, 'a', 0o600);
    this.room = maxLogBytes - fstatSync(this.fd).size;
  }

  stdout = (chunk: Buffer): void => this.take('stdout', chunk);

  stderr = (chunk: Buffer): void => {
    this.tail = Buffer.concat([this.tail, chunk]).subarray(-tailBytes);
    this.take('stderr', chunk);
  };

  /** The last 8 KiB of stderr; a character that the cut went through is left out. */
  lastErrors(): string {
    return this.tail
      .toString('utf8')
      .replace(/^\uFFFD+/, '')
      .trim();
  }

  progress(): { outputSeq?: number; outputAt?: string } {
    return this.saidAt ? { outputSeq: this.seq, outputAt: this.saidAt } : {};
  }

  /** Goes on where a worker before it has come to. */
  resume(seq: number, lastErrors: Buffer): void {
    this.seq = seq;
    this.tail = Buffer.from(lastErrors);
  }

  /** A line of the worker's own. */
  note(line: string): void {
    this.log(`-- ${line}`);
  }

  close(): void {
    this.lines.stdout.end();
    this.lines.stderr.end();
    this.room = 0;
    closeSync(this.fd);
  }

  private take(from: 'stdout' | 'stderr', chunk: Buffer): void {
    this.seq++;
    this.saidAt = new Date().toISOString();
    this.lines[from].take(chunk);
  }

  private write(line: string): void {
    const redacted = redactText(line);
    this.terminal(redacted);
    this.log(redacted);
  }

  private log(line: string): void {
    if (this.room <= 0) return;
    this.room -= Buffer.byteLength(line) + 1;
    const last = this.room > 0 ? '' : `-- the log ends here: it is bounded to ${maxLogBytes / 1024 / 1024} MiB\n`;
    try {
      writeSync(this.fd, `${line}\n${last}`);
    } catch (error) {
      // A full disk ends the log, not the run.
      this.room = 0;
      this.terminal(`the log ends here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Whole lines, so that no secret is cut in two; a line without an end is cut where it becomes too long. */
class Lines {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly emit: (line: string) => void) {}

  take(chunk: Buffer): void {
    const lines = (this.rest + this.decoder.write(chunk)).split(/\r?\n/);
    this.rest = lines.pop() ?? '';
    lines.forEach((line) => this.emitCut(line));
    if (this.rest.length <= maxLine) return;
    this.emitCut(this.rest);
    this.rest = '';
  }

  end(): void {
    const last = this.rest + this.decoder.end();
    if (last !== '') this.emitCut(last);
    this.rest = '';
  }

  private emitCut(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += maxLine) this.emit(line.slice(at, at + maxLine));
  }
}
