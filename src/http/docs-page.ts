import type { OpenApi, Operation } from './openapi.js';

/** A description of the API for people: one page that needs nothing else, not even a script. */
export function docsPage({ info, paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2>${text(tag)}</h2>${own.map(({ path, method, operation }) => article(method, path, operation)).join('')}`;
  });
  return page(`<h1>${text(info.title)}</h1><p>${text(info.description)}</p><p><a href="/openapi.json">openapi.json</a></p>
${sections.join('')}<h2>Problems</h2>${problems(components.examples ?? {})}`);
}

function article(method: string, path: string, { summary, parameters, requestBody, responses }: Operation): string {
  const inPathAndQuery = parameters.filter((parameter) => typeof parameter.name === 'string');
  return `<details><summary><b class="${method}">${method.toUpperCase()}</b> <code>${text(path)}</code> ${text(summary)}</summary>
${inPathAndQuery.length > 0 ? `<h3>Parameters</h3><pre>${json(inPathAndQuery)}</pre>` : ''}
${requestBody ? `<h3>Body</h3><pre>${json(requestBody)}</pre>` : ''}
${Object.entries(responses)
  .map(([status, response]) => `<h3>${status}</h3>${response.content ? `<pre>${json(exampleIn(response.content))}</pre>` : ''}`)
  .join('')}</details>`;
}

/** A problem is described at the end of the page; here its code is enough. */
function exampleIn(content: unknown): unknown {
  const [media] = Object.values(content as Record<string, { example?: unknown; examples?: object }>);
  return media?.example ?? Object.keys(media?.examples ?? {});
}

function problems(examples: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(examples).map(([code, example]) => {
    const { value } = example as { value: { status: number; title: string; retryable: boolean } };
    return `<tr id="${text(code)}"><td>${value.status}<td><code>${text(code)}</code><td>${text(value.title)}<td>${value.retryable ? 'try again' : ''}`;
  });
  return `<table>${rows.join('')}</table>`;
}

const json = (value: unknown): string => text(JSON.stringify(value, null, 2));

const text = (raw: string): string =>
  raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const page = (body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Run ledger: API</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
  summary { cursor: pointer; padding: .3rem 0 }
  pre { overflow: auto; padding: .6rem; background: #8881; font-size: 13px; max-height: 30rem }
  b { display: inline-block; width: 3.2rem; font-size: 12px }
  .get { color: #27a } .post { color: #283 } .put { color: #a60 }
  td { padding: .1rem .8rem .1rem 0 } :target { background: #fd08 }
</style>
<body>${body}
`;
