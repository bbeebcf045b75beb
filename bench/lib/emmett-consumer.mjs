// Emmett's consumer in a process of its own, whose connections end with it: each message {url, events, pulling} is answered with how many
// events per second it handed to somebody who does nothing with them. At most 20 s.
import { randomUUID } from 'node:crypto';
import { postgreSQLEventStoreConsumer } from '@event-driven-io/emmett-postgresql';
import { seconds } from './measure.mjs';

process.on('message', async ({ url, events, pulling }) => {
  const consumer = postgreSQLEventStoreConsumer({ connectionString: url, pulling });
  let handled = 0;
  const start = performance.now();
  const all = new Promise((done) => {
    consumer.reactor({ processorId: `bench-${randomUUID()}`, eachMessage: () => void (++handled === events && done()) });
  });
  consumer.start().catch((error) => console.error(`Emmett: ${error.message}`));
  await Promise.race([all, new Promise((done) => setTimeout(done, 20_000))]);
  process.send({ rate: handled / seconds(start) });
});
process.on('disconnect', () => process.exit());
process.send('ready');
