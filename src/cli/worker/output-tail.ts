import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { RunFolder, Taken } from './run-folder.js';
import type { RunOutput } from './run-output.js';

const everyMs = 100;
const chunkBytes = 64 * 1024;
const chunksAtOnce = 32;
const mebibyte = 1024 * 1024;
/** More than a log holds: what the truncation of a file may cost is nothing that would have been kept. */
const truncateAfter = 16 * mebibyte;
/** Who says more than can be read fills no disk. */
const mostUnread = 64 * mebibyte;
const tailBytes = 8 * 1024;

/** Reads on in the files that a command writes its output to, so that it can go on writing when nobody reads. */
export class OutputTail {
  private readonly stdout: Followed;
  private readonly stderr: Followed;
  private timer: NodeJS.Timeout | undefined;
  private kept: string;

  constructor(
    private readonly folder: RunFolder,
    private readonly output: RunOutput,
  ) {
    const taken = folder.taken();
    this.kept = JSON.stringify(taken);
    const leftOut = (bytes: number) => output.note(`${Math.ceil(bytes / mebibyte)} MiB left out: more than could be read`);
    this.stdout = new Followed(folder.stdout, taken.stdout, output.stdout, leftOut);
    this.stderr = new Followed(folder.stderr, taken.stderr, output.stderr, leftOut);
    output.resume(taken.seq, this.stderr.before(tailBytes));
  }

  start(): void {
    this.timer = setTimeout(() => {
      this.take(chunksAtOnce);
      this.start();
    }, everyMs);
  }

  /** Reads what there is, and no more after it. */
  end(): void {
    clearTimeout(this.timer);
    this.take(Infinity);
    for (const file of [this.stdout, this.stderr]) file.close();
  }

  private take(chunks: number): void {
    for (const file of [this.stdout, this.stderr]) file.take(chunks);
    const taken: Taken = { stdout: this.stdout.at, stderr: this.stderr.at, seq: this.output.seq };
    const text = JSON.stringify(taken);
    if (text !== this.kept) this.folder.keepTaken(taken);
    this.kept = text;
  }
}

class Followed {
  private readonly fd: number;
  private readonly buffer = Buffer.alloc(chunkBytes);

  constructor(
    file: string,
    public at: number,
    private readonly emit: (chunk: Buffer) => void,
    private readonly leftOut: (bytes: number) => void,
  ) {
    this.fd = openSync(file, 'r+');
  }

  /** The last bytes of what was taken. */
  before(bytes: number): Buffer {
    const from = Math.max(0, this.at - bytes);
    const last = Buffer.alloc(this.at - from);
    return last.subarray(0, readSync(this.fd, last, 0, last.length, from));
  }

  take(chunks: number): void {
    const { size } = fstatSync(this.fd);
    // Truncated by a worker that died before it could note it.
    if (size < this.at) this.at = 0;
    if (size - this.at > mostUnread) this.skipTo(size);
    for (let chunk = 0, read = 1; chunk < chunks && read > 0; chunk++) {
      read = readSync(this.fd, this.buffer, 0, chunkBytes, this.at);
      this.at += read;
      if (read > 0) this.emit(this.buffer.subarray(0, read));
      if (read === 0 && this.at >= truncateAfter) this.truncate();
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private skipTo(size: number): void {
    this.leftOut(size - this.at);
    this.at = size;
    this.truncate();
  }

  /** The command appends: it goes on at the new end. */
  private truncate(): void {
    ftruncateSync(this.fd, 0);
    this.at = 0;
  }
}
