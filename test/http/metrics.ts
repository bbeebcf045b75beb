/** The samples of a page in Prometheus' text format 0.0.4, by name and labels; throws where it is not of that format. */
export function parseMetrics(page: string): Map<string, number> {
  const families = new Map<string, string>();
  const samples = new Map<string, number>();
  let helped: string | undefined;
  if (!page.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of page.split('\n').filter(Boolean)) {
    const [, help] = /^# HELP ([a-zA-Z_:][\w:]*) \S.*$/.exec(line) ?? [];
    const [, typed, type] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (help !== undefined) helped = once(help, families);
    else if (typed !== undefined && typed === helped) families.set(typed, type!);
    else takeSample(line, families, samples);
  }
  return samples;
}

function once(name: string, families: ReadonlyMap<string, string>): string {
  if (families.has(name)) throw new Error(`${name} comes twice`);
  return name;
}

const label = '[a-zA-Z_]\\w*="(?:[^"\\\\]|\\\\[\\\\n"])*"';
/** The value as Go's ParseFloat takes it. */
const sample = new RegExp(`^([a-zA-Z_:][\\w:]*)(\\{${label}(?:,${label})*\\})? (-?[\\d.]+(?:e[+-]?\\d+)?|[Nn]a[Nn]|[+-]Inf)$`);

function takeSample(line: string, families: ReadonlyMap<string, string>, samples: Map<string, number>): void {
  const [, name, labels = '', value] = sample.exec(line) ?? [];
  if (name === undefined) throw new Error(`this is no sample: ${line}`);
  const family = families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
  if (!families.has(family)) throw new Error(`${name} has no type`);
  if (families.get(family) === 'counter' && !name.endsWith('_total')) throw new Error(`${name} is a counter by another name`);
  if (samples.has(name + labels)) throw new Error(`${name}${labels} comes twice`);
  samples.set(name + labels, Number(value));
}
