import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Recorded } from '../../src/events/event.js';
import { until } from '../projections/until.js';

export interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: Recorded & { readonly sentence?: string; readonly position: string; readonly reason?: string };
}

/** A client of a live stream that can be cut, or stop reading. Its parser knows no more of the format than the server uses. */
export class Reader {
  readonly messages: Message[] = [];
  comments = 0;
  /** as a browser keeps it */
  lastId: string;
  ended = false;
  /** not parsed yet */
  private text = '';

  private constructor(
    private readonly request: ClientRequest,
    readonly response: IncomingMessage,
    after: string | undefined,
  ) {
    this.lastId = after ?? '';
    response.setEncoding('utf8').on('data', (text: string) => this.take(text));
    response.on('error', () => {});
    response.on('close', () => (this.ended = true));
  }

  /** Resolves with the answer, whatever its status. */
  static open(url: string, after?: string): Promise<Reader> {
    return new Promise((resolve, fail) => {
      const headers = after === undefined ? {} : { 'last-event-id': after };
      const request = get(url, { headers, agent: false }, (response) => resolve(new Reader(request, response, after)));
      request.on('error', fail);
    });
  }

  /** What the ledger recorded, as it was told. */
  get events(): Message[] {
    return this.messages.filter(({ event }) => !['ready', 'dashboard', 'resume'].includes(event));
  }

  has(what: string, condition: (reader: this) => boolean, ms = 30_000): Promise<void> {
    return until(what, () => condition(this), ms);
  }

  /** The connection ends as if somebody had pulled the plug. */
  cut(): void {
    this.request.destroy();
  }

  private take(text: string): void {
    const blocks = (this.text + text).split('\n\n');
    this.text = blocks.pop() ?? '';
    for (const block of blocks) this.takeBlock(block.split('\n'));
  }

  private takeBlock(lines: readonly string[]): void {
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    this.comments += lines.filter((line) => line.startsWith(':')).length;
    this.lastId = field('id') ?? this.lastId;
    const data = field('data');
    if (data !== undefined) this.messages.push({ event: field('event')!, id: this.lastId, data: JSON.parse(data) });
  }
}
