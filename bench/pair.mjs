import { Worker } from './worker.mjs';

/** Server and load generator of one peer, each in its process. */
export class Pair {
  /**
   * @param {string} peer
   * @param {{ core?: number, serverNode?: string[] }} [options] `core`: both run on this one alone; `serverNode`: options of its node
   */
  static async start(peer, { core, serverNode } = {}) {
    const starting = [
      Worker.start('server.mjs', { args: [peer], node: serverNode, core }),
      Worker.start('load.mjs', { args: [peer], core }),
    ];
    const [server, load] = await Promise.allSettled(starting);
    for (const { status, reason } of [server, load]) {
      if (status === 'fulfilled') continue;
      await Promise.all([server, load].map(({ value }) => value?.stop()));
      throw reason;
    }
    return new Pair(server.value, load.value, await server.value.call('address'));
  }

  constructor(server, load, address) {
    this.server = server;
    this.load = load;
    this.address = address;
  }

  /** Opens connections until there are `count`. */
  open(count) {
    return this.load.call('open', { address: this.address, count });
  }

  async stop() {
    await Promise.all([this.load.stop(), this.server.stop()]);
  }
}
