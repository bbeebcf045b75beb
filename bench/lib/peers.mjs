import PgBoss from 'pg-boss';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

/** pg-boss without what it does on its own account, so that nothing but what is asked for is measured. */
export async function openBoss(url, queues) {
  const boss = new PgBoss({ connectionString: url, max: 32, schedule: false, supervise: false });
  boss.on('error', (error) => console.error(`pg-boss: ${error.message}`));
  await boss.start();
  for (const queue of queues) await boss.createQueue(queue);
  return { boss, close: () => boss.stop({ graceful: false, wait: true }) };
}

export async function insertBossJobs(boss, queue, count, data) {
  for (let left = count; left > 0; left -= 1_000)
    await boss.insert(Array.from({ length: Math.min(left, 1_000) }, () => ({ name: queue, data })));
}

/** Fetches and completes a thousand at a time until the queue is empty; answers how many that were. */
export async function drainBoss(boss, queue) {
  for (let drained = 0; ;) {
    const jobs = await boss.fetch(queue, { batchSize: 1_000 });
    if (jobs.length === 0) return drained;
    await boss.complete(
      queue,
      jobs.map(({ id }) => id),
    );
    drained += jobs.length;
  }
}

/** graphile-worker as it is delivered: it asks for due jobs every two seconds. */
export async function openGraphile(url, taskList) {
  const pgPool = new pg.Pool({ connectionString: url, max: 16 });
  const say = (error) => console.error(`graphile-worker: ${error.message}`);
  pgPool.on('error', say).on('connect', (client) => client.on('error', say));
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const runner =
    taskList && (await run({ pgPool, concurrency: 8, logger, noHandleSignals: true, pollInterval: 2_000, taskList }));
  return {
    utils,
    pgPool,
    logger,
    async close() {
      await runner?.stop();
      await utils.release();
      await pgPool.end();
    },
  };
}
