// What the workers of the chaos test run: it writes down that it runs, does well or badly by a draw, and speaks up now and then.
// CHAOS_JOURNAL: a file of lines; whoever starts looks there for another process that still works on the same task.
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');

const { CHAOS_JOURNAL: journal, LEDGER_RUN: run, LEDGER_TASK: task, LEDGER_RESULT_FILE: resultFile } = process.env;
const note = (line) => appendFileSync(journal, `${JSON.stringify({ run, task, pid: process.pid, ...line })}\n`);

/** Of a process that has ended, and of one that is a zombie, nothing works on. */
function works(pid) {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function others() {
  const lines = readFileSync(journal, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const ended = new Set(lines.filter(({ what }) => what === 'end').map(({ pid }) => pid));
  return lines.filter((line) => line.what === 'start' && line.task === task && line.pid !== process.pid && !ended.has(line.pid));
}

note({ what: 'start' });
for (const other of others()) if (works(other.pid)) note({ what: 'overlap', with: other.run });

const after = (ms, work) => setTimeout(() => work(), ms);
const end = (code) => {
  note({ what: 'end', code });
  process.exit(code);
};

const ask = (path, body) =>
  fetch(`${process.env.LEDGER_URL}/v1/companies/${process.env.LEDGER_COMPANY}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-actor': `agent:${process.env.LEDGER_AGENT}` },
    body: JSON.stringify(body),
  }).catch(() => {});

const takes = 20 + Math.random() * 300;
const ways = {
  well: () => after(takes, () => end(0)),
  wellAndDone: () => after(takes, () => ask(`tasks/${task}/status`, { status: 'done' }).finally(() => end(0))),
  sayingSo: () => after(takes, () => ask(`tasks/${task}/comments`, { body: `${run} is at it` }).finally(() => end(0))),
  limited: () => {
    writeFileSync(resultFile, JSON.stringify({ error: 'HTTP 429: too many requests', errorFamily: 'transient_upstream' }));
    after(takes, () => end(1));
  },
  badly: () => after(takes, () => end(3)),
  hanging: () => after(60_000, () => end(0)),
  killed: () => after(takes, () => process.kill(process.pid, 'SIGKILL')),
};
const draw = Math.random() * 100;
const way =
  draw < 45
    ? 'well'
    : draw < 60
      ? 'wellAndDone'
      : draw < 70
        ? 'sayingSo'
        : draw < 82
          ? 'limited'
          : draw < 92
            ? 'badly'
            : draw < 96
              ? 'hanging'
              : 'killed';
ways[way]();
