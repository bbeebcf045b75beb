import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const pure = ['src/events', 'src/commands', 'src/policies'];
const impure = /Date\.now|new Date\(\)|Math\.random|randomUUID|randomBytes/;

it('takes time and chance from World, never from the machine, where things are decided', () => {
  const offences = pure.flatMap(sources).filter(({ text }) => impure.test(text));
  expect(offences.map(({ file }) => file)).toEqual([]);
});

/** Where commands come in from outside, Nest and the machine's clock are allowed. */
function sources(folder: string): { file: string; text: string }[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((file) => join('src', file))
    .filter((file) => file.startsWith(folder) && file.endsWith('.ts') && !/(\.module|\/dispatch)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}
