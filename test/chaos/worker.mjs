// A worker in a process of its own: node worker.mjs <folder of the compiled ledger> <settings as JSON>
const [, , compiled, settings] = process.argv;
const { Worker } = await import(`${compiled}/cli/worker/worker.js`);
await new Worker(JSON.parse(settings)).run();
