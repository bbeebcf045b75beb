/** How far a long look at the log has come. */
export interface ProgressLine {
  at(done: number, total: number): void;
  /** nothing of it is left on a terminal */
  end(): void;
}

const everyMs = 5_000;

/** On stderr: a line that is written over on a terminal, otherwise a line of JSON every 5 s. */
export function progressLine(what: string, err: NodeJS.WriteStream = process.stderr): ProgressLine {
  let saidAt = performance.now();
  const share = (done: number, total: number) => Math.floor((100 * done) / Math.max(1, total));
  return {
    at(done, total) {
      if (err.isTTY)
        return void err.write(`\r\u001b[K${what}: ${share(done, total)} %, ${count(done)} of ${count(total)} events`);
      if (performance.now() - saidAt < everyMs) return;
      saidAt = performance.now();
      err.write(`${JSON.stringify({ progress: what, done, total })}\n`);
    },
    end: () => void (err.isTTY && err.write('\r\u001b[K')),
  };
}

export const count = (n: number): string => n.toLocaleString('en');
