import type { AppendFault, ReadFault } from './faults.js';
import type { ProtocolServer } from './protocol-server.js';

/** What a server in a process of its own can be told. */
export type Order =
  | { readonly do: 'cut' | 'freeze' | 'thaw' | 'stop' | 'restart' | 'clear' | 'count' }
  | { readonly do: 'delay'; readonly ms: number }
  | { readonly do: 'fail-appends'; readonly fault: AppendFault }
  | { readonly do: 'fail-reads'; readonly fault: ReadFault }
  /** ISO 8601 */
  | { readonly do: 'set-clock'; readonly time: string };

/** What was asked for, if anything was. */
export async function obey(server: ProtocolServer, order: Order): Promise<object | void> {
  switch (order.do) {
    case 'cut':
      return server.cut();
    case 'freeze':
      return server.freeze();
    case 'thaw':
      return server.thaw();
    case 'stop':
      return server.stop();
    case 'restart':
      return server.restart();
    case 'clear':
      return server.faults.clear();
    case 'count':
      return { records: server.log.records.length, appends: server.appends.received };
    case 'delay':
      server.faults.delayMs = order.ms;
      return;
    case 'fail-appends':
      return server.faults.appends.plan(order.fault);
    case 'fail-reads':
      return server.faults.reads.plan(order.fault);
    case 'set-clock':
      server.log.now = () => new Date(order.time);
      return;
  }
}
