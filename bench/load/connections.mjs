/** Connections that stay open and hand on what they receive. */
export class Connections {
  /** @type {{ send: Function, close: Function, receive: (message: Uint8Array) => void }[]} */
  all = [];
  #peer;
  #opened = 0;

  constructor(peer) {
    this.#peer = peer;
  }

  /** Opens more until there are `count`, so many at a time. */
  async open({ address, count, atOnce = 16 }) {
    const open = async () => {
      while (this.all.length < count) {
        const slot = { send: undefined, close: undefined, receive: () => {} };
        this.all.push(slot);
        Object.assign(slot, await this.connect(address, (message) => slot.receive(message)));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, open));
  }

  connect(address, onMessage = () => {}) {
    return this.#peer.connect(address, { index: this.#opened++, onMessage });
  }
}
