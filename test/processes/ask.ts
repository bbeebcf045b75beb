export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** as it was sent */
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export type Ask = {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
};

/** A request to a server; a path that does not begin with `/` is below the company acme. A connection that is lost is an error. */
export async function ask(url: string, { method, path, body, headers }: Ask): Promise<Answer> {
  const address = path.startsWith('/') ? `${url}${path}` : `${url}/v1/companies/acme/${path}`;
  const content = body && { 'content-type': 'application/json' };
  const response = await fetch(address, { method, body: body && JSON.stringify(body), headers: { ...content, ...headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? undefined : JSON.parse(text) };
}

export const get = (url: string, path: string): Promise<Answer> => ask(url, { method: 'GET', path });
export const post = (url: string, path: string, body: object = {}, headers?: Record<string, string>): Promise<Answer> =>
  ask(url, { method: 'POST', path, body, headers });
export const put = (url: string, path: string, body: object): Promise<Answer> => ask(url, { method: 'PUT', path, body });
