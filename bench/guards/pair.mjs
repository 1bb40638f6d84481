import { setImmediate } from 'node:timers';
import { of } from 'rxjs';
import { UsmpClient, UsmpServer } from 'usmp-rx/node';

const psk = 'a pre-shared key for guards';

/** Admission is not what is counted here. */
const admission = {
  maxUnauthenticated: 10_000,
  maxUnauthenticatedPerAddress: 10_000,
  maxHandshakesPerSecond: 1_000_000,
};

/** One end of a byte stream in memory that can hold back what arrives, so that sending and receiving are counted apart. */
class End {
  kind = 'memory';
  remoteAddress = 'memory:0';
  /** What was written, in calls of `write`. */
  writes = 0;
  isHolding = false;
  /** Where what arrives is copied to, so that the other end needs what it wrote no more; without it arrays are handed over. */
  store;
  #stored = 0;
  #peer;
  #sink;
  #arrived = [];

  connectTo(peer) {
    this.#peer = peer;
  }

  attach(sink) {
    this.#sink = sink;
    this.#deliverSoon();
  }

  write(bytes) {
    this.writes++;
    this.#peer?.take(bytes);
    return true;
  }

  get isFlushed() {
    return this.#peer?.store !== undefined;
  }

  take(bytes) {
    this.#arrived.push(this.store ? this.#copy(bytes) : bytes);
    this.#deliverSoon();
  }

  /** Delivers what was held back, each piece as it was written. */
  release() {
    for (const bytes of this.#arrived.splice(0)) this.#sink?.data(bytes);
    this.#stored = 0;
  }

  #copy(bytes) {
    this.store.set(bytes, this.#stored);
    this.#stored += bytes.length;
    return this.store.subarray(this.#stored - bytes.length, this.#stored);
  }

  /** The peer hears no more of this end, which finds the stream ended when it ends it itself. */
  leave() {
    this.#peer.connectTo(undefined);
    this.#peer = undefined;
  }

  pause() {}

  resume() {}

  end() {
    if (!this.#peer) setImmediate(() => this.#sink?.end());
  }

  destroy() {
    this.#sink = undefined;
  }

  reset() {
    this.#sink = undefined;
  }

  #deliverSoon() {
    if (!this.isHolding) setImmediate(() => this.isHolding || this.release());
  }
}

/** Starts a server in this process; returns what opens a session with it, and gives both ends of it. */
export async function startServer(options) {
  let accept;
  const listener = {
    kind: 'memory',
    async listen(onTransport) {
      accept = onTransport;
      return 'memory:0';
    },
    async close() {},
  };
  const server = new UsmpServer({ psk, ...admission, ...options });
  await server.listen({ listeners: [listener] });
  let count = 0;

  return async () => {
    const [clientEnd, serverEnd] = [new End(), new End()];
    clientEnd.connectTo(serverEnd);
    serverEnd.connectTo(clientEnd);
    const dial = () => {
      accept(serverEnd);
      return of(clientEnd);
    };
    const deviceId = Uint8Array.of(2, 0, 0, 0, count >> 8, count & 255);
    count++;
    const client = new UsmpClient({ psk, deviceId, transport: { kind: 'memory', dial }, ...options });
    const accepted = new Promise((resolve) => {
      const waiting = server.sessions$.subscribe((session) => {
        waiting.unsubscribe();
        resolve(session);
      });
    });
    const [clientSession, serverSession] = await Promise.all([client.connect(), accepted]);
    return { client, clientSession, clientEnd, serverSession, serverEnd };
  };
}
