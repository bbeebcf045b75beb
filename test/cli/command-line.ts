import { runCommand } from '../../src/cli/program.js';

/** The command line in this process: what it says is kept in `said`, and shown to nobody. */
export function commandLine() {
  const said = { out: '', err: '' };
  const keep = (where: keyof typeof said, end: string) => (text: unknown) => {
    said[where] += String(text) + end;
    return true;
  };
  beforeEach(() => {
    jest.spyOn(process.stdout, 'write').mockImplementation(keep('out', ''));
    jest.spyOn(process.stderr, 'write').mockImplementation(keep('err', ''));
    jest.spyOn(console, 'error').mockImplementation(keep('err', '\n'));
  });
  afterEach(() => jest.restoreAllMocks());

  /** Runs the words of these lines, and those of lists as they are, and answers the exit code. */
  async function ledger(...lines: readonly (string | readonly string[])[]): Promise<number> {
    said.out = said.err = '';
    return runCommand(lines.flatMap((line) => (typeof line === 'string' ? line.split(' ') : line)));
  }
  return { said, ledger };
}
