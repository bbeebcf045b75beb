export interface Message {
  readonly event: string;
  /** of this message, or the last one that had one */
  readonly id: string;
  readonly data: string;
}

/** Reads server-sent events as WHATWG HTML has it ("Interpreting an event stream"), from text in whatever pieces it comes. */
export class EventStreamParser {
  /** Moves with blocks that have no data as well, of which nobody hears. */
  lastEventId: string;
  /** a line that has not ended */
  private rest = '';
  private event = '';
  private data: string[] = [];
  private id: string;

  constructor(lastEventId = '') {
    this.lastEventId = lastEventId;
    this.id = lastEventId;
  }

  push(text: string): Message[] {
    const all = this.rest + text;
    // What follows a return at the end may be the other half of a line's end.
    const lines = (all.endsWith('\r') ? all.slice(0, -1) : all).split(/\r\n|\n|\r/);
    this.rest = lines.pop()! + (all.endsWith('\r') ? '\r' : '');
    return lines.flatMap((line) => (line === '' ? this.dispatch() : this.take(line)));
  }

  private take(line: string): [] {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    else if (name === 'data') this.data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.id = value;
    return [];
  }

  private dispatch(): Message[] {
    const { event, data, id } = this;
    this.lastEventId = id;
    this.event = '';
    this.data = [];
    return data.length > 0 ? [{ event: event || 'message', id, data: data.join('\n') }] : [];
  }
}
