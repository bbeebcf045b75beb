import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Scripts of this folder, each in a process of its own, that answer each message with one. */
export async function forkAll(count, script, args = []) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const children = Array.from({ length: count }, () => fork(path, args));
  await Promise.all(children.map(answer));
  return {
    children,
    /** The answers of all of them to the same message. */
    ask(message) {
      const answers = children.map(answer);
      for (const child of children) child.send(message);
      return Promise.all(answers);
    },
    async close() {
      const ends = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
      await Promise.all(ends);
    },
  };
}

async function answer(child) {
  const ended = new AbortController();
  const early = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.slice(1, 3).join(' ')} ended early, with ${code}`);
  });
  early.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), early]);
    return message;
  } finally {
    ended.abort();
  }
}
