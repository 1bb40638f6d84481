import { sameBytes } from '../../protocol/bytes.js';

/** Two are what a handshake has from one side; the others are for proofs that were wrong. */
const MAX_ANSWERED = 4;

/**
 * Datagrams of the peer that were acknowledged, with their acknowledgements, which may have been lost: one that is repeated is
 * acknowledged again and has no other effect (protocol.md section 7).
 */
export class AnsweredDatagrams {
  readonly #answered: { readonly datagram: Uint8Array; readonly acknowledgement: Uint8Array }[] = [];

  add(datagram: Uint8Array, acknowledgement: Uint8Array): void {
    this.#answered.push({ datagram, acknowledgement });
    if (this.#answered.length > MAX_ANSWERED) this.#answered.shift();
  }

  /** The acknowledgement of a datagram that has come before, byte for byte the same. */
  answerTo(datagram: Uint8Array): Uint8Array | undefined {
    return this.#answered.find((answered) => sameBytes(answered.datagram, datagram))?.acknowledgement;
  }
}
