import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseResult, readResultFile } from '../../../src/cli/worker/result-file.js';

describe('the result file', () => {
  it('may be absent', () => expect(readResultFile('/nowhere/result.json')).toEqual({ said: {}, ignored: [] }));

  it('says how a run ended', () => {
    const said = {
      error: 'rate limited',
      errorCode: 'http_429',
      errorFamily: 'quota',
      retryAfter: '120',
      result: { done: 3 },
      usage: { tokens: 17 },
    };
    expect(parseResult(JSON.stringify(said))).toEqual({ said, ignored: [] });
  });

  it('takes seconds as a number', () => expect(parseResult('{"retryAfter": 120}').said.retryAfter).toBe('120'));

  it('leaves out what cannot be reported, and names it', () =>
    expect(parseResult('{"error": 5, "errorFamily": "moon", "result": [1], "colour": "red", "usage": null}')).toEqual({
      said: {},
      ignored: ['error', 'errorFamily', 'result', 'colour'],
    }));

  it.each([
    ['{"error": "cut o', 'not JSON'],
    ['["error"]', 'not a JSON object'],
  ])('is ignored when it is %s', (text, why) => expect(parseResult(text)).toEqual({ said: {}, ignored: [why] }));

  it('is ignored when it is bigger than a request may be', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-result-'));
    writeFileSync(join(folder, 'result.json'), JSON.stringify({ result: { text: 'x'.repeat(600_000) } }));
    expect(readResultFile(join(folder, 'result.json')).ignored).toEqual(['more than 512 KiB']);
    rmSync(folder, { recursive: true });
  });
});
