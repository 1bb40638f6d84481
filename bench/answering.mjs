import { exit } from 'node:process';

/**
 * The child's side of `Worker`: answers calls of the parent by name, and ends with it.
 *
 * @param {Record<string, (params: any) => unknown>} methods
 */
export function answer(methods) {
  process.on('message', async ({ id, method, params }) => {
    let reply;
    try {
      reply = { id, result: await methods[method](params) };
    } catch (error) {
      reply = { id, error: error instanceof Error ? error.message : String(error) };
    }
    if (process.connected) process.send(reply);
  });
  process.on('disconnect', () => exit());
  process.send({ ready: true });
}
