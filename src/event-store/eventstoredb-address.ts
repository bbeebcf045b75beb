/** How long a connection may be silent on a question of life, in ms; the client's own 10,000 leave a frozen node unnoticed for 20 s. */
const keepAliveTimeout = 5_000;

/**
 * The address as the client is given it. Refuses settings under which the ledger would be wrong, and sees to it that a frozen node is
 * noticed within 15 s, unless the address says otherwise (`keepAliveTimeout`, `keepAliveInterval`).
 */
export function addressOf(url: string): string {
  const [, query = ''] = url.split('?');
  const settings = new Map([...new URLSearchParams(query)].map(([name, value]) => [flat(name), flat(value)]));
  const unknown = [...settings.keys()].find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new Error(
      `the address of the EventStoreDB has a setting ${unknown}, which there is not; there are ${names.replaceAll(' ', ', ')}`,
    );
  const preference = settings.get('nodepreference') ?? 'leader';
  if (preference !== 'leader')
    throw new Error(
      `the address of the EventStoreDB prefers a ${preference}: decisions need what the leader has, so leave nodePreference out`,
    );
  if (settings.get('throwonappendfailure') === 'false')
    throw new Error('the address of the EventStoreDB says throwOnAppendFailure=false, which hides refused appends: leave it out');
  if (settings.has('keepalivetimeout')) return url;
  return `${url}${query === '' ? '?' : '&'}keepAliveTimeout=${keepAliveTimeout}`;
}

/** The client shows the whole address, password and all, where it does not know one. */
const names =
  'tls tlsCAFile tlsVerifyCert userCertFile userKeyFile connectionName nodePreference maxDiscoverAttempts discoveryInterval ' +
  'gossipTimeout defaultDeadline keepAliveInterval keepAliveTimeout throwOnAppendFailure';

/** The client takes names in any case, with dashes or without. */
const flat = (text: string): string => text.trim().toLowerCase().replace(/[_-]/g, '');

const known: ReadonlySet<string> = new Set(names.split(' ').map(flat));
