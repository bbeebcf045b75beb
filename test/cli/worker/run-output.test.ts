import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunOutput } from '../../../src/cli/worker/run-output.js';

describe('what a command says', () => {
  let folder: string;
  const shown: string[] = [];
  const log = () => readFileSync(join(folder, 'logs', 'ACME-12.1.log'), 'utf8');
  const open = () => new RunOutput(join(folder, 'logs', 'ACME-12.1.log'), (line) => shown.push(line));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-output-'));
    shown.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes to the terminal and the log by lines, however it came', () => {
    const output = open();
    for (const chunk of ['one\ntw', 'o\r\nthr', 'ee']) output.stdout(Buffer.from(chunk));
    output.close();
    expect(shown).toEqual(['one', 'two', 'three']);
    expect(log()).toBe('one\ntwo\nthree\n');
  });

  it('shows no secret, not even one that came in two pieces', () => {
    const output = open();
    output.stdout(Buffer.from('API_KEY=abc'));
    output.stdout(Buffer.from('defgh123\n'));
    output.close();
    expect(log()).toBe('API_KEY=***REDACTED***\n');
  });

  it('keeps characters whole', () => {
    const output = open();
    const bytes = Buffer.from('zwölf\n');
    output.stdout(bytes.subarray(0, 3));
    output.stdout(bytes.subarray(3));
    output.close();
    expect(shown).toEqual(['zwölf']);
  });

  it('remembers the last 8 KiB of stderr, and nothing of stdout', () => {
    const output = open();
    output.stdout(Buffer.from('progress\n'));
    for (let i = 0; i < 1_000; i++) output.stderr(Buffer.from(`line ${i} with some words in it\n`));
    output.stderr(Buffer.from('429 rate limited\n'));
    output.close();
    expect(output.lastErrors()).toMatch(/429 rate limited$/);
    expect(Buffer.byteLength(output.lastErrors())).toBeLessThanOrEqual(8_192);
    expect(output.lastErrors()).not.toContain('progress');
  });

  it('cuts a line without an end, and ends the log at its bound', () => {
    const output = open();
    const flood = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 12; i++) output.stdout(flood);
    output.close();
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(16 * 1024);
    expect(log().slice(-60)).toContain('the log ends here: it is bounded to 10 MiB');
    expect(statSync(join(folder, 'logs', 'ACME-12.1.log')).size).toBeLessThan(10.1 * 1024 * 1024);
  });

  it('tells how far it has come', () => {
    const output = open();
    expect(output.progress()).toEqual({});
    output.stderr(Buffer.from('x'));
    expect(output.progress()).toEqual({ outputSeq: 1, outputAt: expect.any(String) });
    output.close();
  });
});
