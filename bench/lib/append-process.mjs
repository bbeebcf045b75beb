// A process of its own that appends: [ours|plain, url, connections]; each message {callers, ms} is answered with what was measured.
import { closedLoop } from './measure.mjs';
import { ourAppend } from './our-append.mjs';
import { plainAppend } from './plain-append.mjs';

const [whose, url, connections] = process.argv.slice(2);
const appender = whose === 'ours' ? ourAppend(url) : await plainAppend(url, Number(connections), { create: false });

process.on('message', async ({ callers, ms }) => process.send(await closedLoop(callers, ms, () => appender.one())));
process.on('disconnect', async () => {
  await appender.close();
  process.exit();
});
process.send('ready');
