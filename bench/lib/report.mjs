import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine, probeDisk } from './machine.mjs';
import { median } from './measure.mjs';

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/** Goals of a row: in words, and how far it was missed (as a part of the goal), 0 or less when it was reached. */
export const ratioAtLeast = (goal) => ({ text: `≥ ${goal}×`, missed: ({ ratio }) => (goal - ratio) / goal });
export const ratioAtMost = (goal) => ({ text: `≤ ${goal}×`, missed: ({ ratio }) => (ratio - goal) / goal });
export const atMost = (goal, unit) => ({ text: `≤ ${goal} ${unit}`, missed: ({ ours }) => (ours - goal) / goal });
export const atLeast = (goal, unit) => ({ text: `≥ ${goal} ${unit}`, missed: ({ ours }) => (goal - ours) / goal });

/** The answers to one question: printed as a table, and kept as JSON under results/. */
export class Report {
  rows = [];
  said = [];
  before = machine();

  constructor(question, postgres) {
    this.question = question;
    this.postgres = postgres;
    this.disk = probeDisk(postgres.dataDir);
  }

  /** `ours` and `reference` are figures of the same rounds; the ratio is the median of theirs. */
  add({ what, unit, ours, against = '–', reference, goal, note = '' }) {
    const ratios = reference?.map((value, round) => ours[round] / value) ?? [];
    const row = { what, unit, ours: median(ours), against, reference: reference && median(reference), ratio: median(ratios) };
    const missed = goal?.missed(row);
    const verdict = goal ? (missed <= 0 ? 'reached' : `missed by ${Math.round(missed * 100)} %`) : '';
    this.rows.push({ ...row, goal: goal?.text ?? '', verdict, note, rounds: { ours, reference, ratios } });
  }

  /** What else the figures depend on: printed below them. */
  say(sentence) {
    this.said.push(sentence);
  }

  finish() {
    const { question, postgres, before, disk, rows, said } = this;
    const after = machine();
    console.log(`\n## ${question}\n\n${table(rows)}\n`);
    console.log(
      `Postgres ${postgres.version}, Node ${before.node}, ${before.cpus} × ${before.cpu}; load ${before.load.toFixed(1)} before, ${after.load.toFixed(1)} after.\n` +
        `4 KiB write and fdatasync in ${disk.folder}: ${disk.perSecond} per s, p50 ${figure(disk.p50)} ms, p99 ${figure(disk.p99)} ms.`,
    );
    for (const sentence of said) console.log(sentence);
    mkdirSync(folder, { recursive: true });
    const path = `${folder}${question.replaceAll(' ', '-')}-${new Date().toISOString().replaceAll(':', '')}.json`;
    writeFileSync(
      path,
      `${JSON.stringify({ question, at: new Date(), postgres: postgres.version, before, after, disk, rows, said }, null, 2)}\n`,
    );
    console.log(`Written to ${path}`);
  }
}

function table(rows) {
  const cells = rows.map(({ what, unit, ours, against, reference, ratio, rounds, goal, verdict, note }) => [
    what,
    `${figure(ours)} ${unit}`,
    reference === undefined ? against : `${against}: ${figure(reference)} ${unit}`,
    ratio === undefined
      ? '–'
      : `${ratio.toFixed(2)}× (${Math.min(...rounds.ratios).toFixed(2)}–${Math.max(...rounds.ratios).toFixed(2)})`,
    goal,
    [verdict, note].filter(Boolean).join('; '),
  ]);
  return lines([['', 'ours', 'reference', 'ratio (least–most)', 'goal', ''], ...cells]);
}

function lines([head, ...body]) {
  const all = [head, ...body];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function figure(value) {
  if (value === undefined) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
