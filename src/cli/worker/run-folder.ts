import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Stop } from './finish.js';
import { guardClock, guardIsEarlierBy } from './guard.js';
import type { Lease } from './lease-keeper.js';
import type { RunContextFile } from './run-context.js';

/** What a worker has to know of a run to answer for it, its own or one that another left behind. */
export interface RunRecord {
  readonly url: string;
  readonly company: string;
  readonly agent: string;
  readonly run: string;
  readonly lease: Lease;
  readonly workerId: string;
  /** the program, for the sentence that says it is not there */
  readonly file: string;
  readonly host: string;
  readonly startedAt: string;
  /** the same on the guard's clock: what a time-out counts from */
  readonly clock: number;
  /** of the leader of its group; not there for the moment between its start and this note */
  readonly process?: { readonly pid: number; readonly start: string; readonly startedAt: number };
  /** why a worker began to end it */
  readonly stop?: Stop;
}

/** How far a worker has come with what a command says, and how much it had said by then. */
export interface Taken {
  readonly stdout: number;
  readonly stderr: number;
  readonly seq: number;
}

/** Of one run: what its command is told, where it may leave word, and what a worker needs after the death of the one before. */
export class RunFolder {
  readonly contextFile: string;
  readonly resultFile: string;
  readonly stdout: string;
  readonly stderr: string;

  constructor(readonly path: string) {
    this.contextFile = join(path, 'context.json');
    this.resultFile = join(path, 'result.json');
    this.stdout = join(path, 'stdout');
    this.stderr = join(path, 'stderr');
  }

  /** `own` makes it the caller's, before anything in it says that there is a run. */
  static create(runs: string, record: RunRecord, context: RunContextFile, own: (folder: string) => boolean): RunFolder {
    mkdirSync(runs, { recursive: true, mode: 0o700 });
    const folder = new RunFolder(mkdtempSync(join(runs, `${record.company}~${record.run}.`)));
    if (!own(folder.path)) throw new Error(`${folder.path}: nothing can be written there`);
    folder.write('context.json', JSON.stringify(context, null, 2));
    for (const output of [folder.stdout, folder.stderr]) closeSync(openSync(output, 'a', 0o600));
    folder.keep(record);
    return folder;
  }

  /** Undefined while it is being made, and when it is no folder of a run. */
  record(): RunRecord | undefined {
    return this.json<RunRecord>('run.json');
  }

  keep(record: RunRecord): void {
    this.write('run.json', JSON.stringify(record));
  }

  taken(): Taken {
    return this.json<Taken>('taken.json') ?? { stdout: 0, stderr: 0, seq: 0 };
  }

  /** A convenience: without it, a worker that comes after shows again what was shown. A full disk must not end the run. */
  keepTaken(taken: Taken): void {
    try {
      this.write('taken.json', JSON.stringify(taken));
    } catch {}
  }

  /** Tells the guard that the lease lasts for so many ms from now. */
  keepLease(ms: number): void {
    this.write('lease', `${guardClock() + Math.floor(ms / 10) - guardIsEarlierBy}\n`);
  }

  /** How long the lease lasts by what was last written of it; negative when it is over. */
  leaseLeft(): number {
    return (Number(this.read('lease') ?? 0) + guardIsEarlierBy - guardClock()) * 10;
  }

  /** What the guard noted of the command's end. */
  exitCode(): number | undefined {
    const [, code] = /^(\d+) /.exec(this.read('exit') ?? '') ?? [];
    return code === undefined ? undefined : Number(code);
  }

  /** The guard ended the command, because the lease was not renewed. */
  get wasOver(): boolean {
    return existsSync(join(this.path, 'over'));
  }

  /** Of the guard, which leads the group, and of the parts of it that watch the lease and carry the output. */
  guardPids(): { leader?: number; parts: readonly number[] } {
    const [leader, ...parts] = (/^[\d ]+\n/.exec(this.read('pids') ?? '')?.[0].split(' ') ?? []).map(Number);
    return { leader, parts };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Whole or not at all, for who reads it at any moment. */
  private write(name: string, text: string): void {
    const file = join(this.path, name);
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  private read(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return undefined;
    }
  }

  private json<T>(name: string): T | undefined {
    try {
      // Written by `write`; of a machine that lost its power, it may be empty nevertheless.
      return JSON.parse(readFileSync(join(this.path, name), 'utf8')) as T;
    } catch {
      return undefined;
    }
  }
}
