import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from './measure.mjs';

/** What the figures depend on, besides the code. */
export function machine() {
  const { length, 0: cpu } = cpus();
  return { cpus: length, cpu: cpu?.model, node: process.version, load: loadavg()[0] };
}

/** How long the disk takes to keep 4 KiB: one write and one fdatasync after another, for a second. */
export function probeDisk(folder = tmpdir()) {
  const path = join(folder, `fsync-probe-${process.pid}`);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  const ms = [];
  try {
    for (const start = performance.now(); performance.now() - start < 1000;) {
      const sent = performance.now();
      writeSync(file, block, 0, block.length, 0);
      fdatasyncSync(file);
      ms.push(performance.now() - sent);
    }
  } finally {
    closeSync(file);
    rmSync(path);
  }
  return { folder, perSecond: ms.length, p50: percentile(ms, 50), p99: percentile(ms, 99) };
}
