import { parseDeviceId, parsePsk, type PskInput, type Secret } from '../protocol/index.js';
import type { DatagramDialer } from '../transport/datagram.js';
import { DatagramClientHandshake } from './datagram-peer-handshake.js';
import { SimulatedDatagramPeer, type SimulatedDatagramPeerOptions } from './simulated-datagram-peer.js';

export interface SimulatedDatagramDeviceOptions extends SimulatedDatagramPeerOptions {
  /** How it reaches its server; each attempt takes a port of its own. */
  readonly dialer: DatagramDialer;
  /** `00:11:22:33:44:55`, or 6 bytes. */
  readonly deviceId: string | Uint8Array;
  readonly psk: PskInput;
}

/** A microcontroller on UDP: a simulated peer that connects as a client, as often as it is told to. */
export class SimulatedDatagramDevice extends SimulatedDatagramPeer {
  readonly #dialer: DatagramDialer;
  readonly #ownId: Uint8Array;
  readonly #psk: Secret;

  /** @throws ConfigError for a device id or PSK that can't be one */
  constructor(options: SimulatedDatagramDeviceOptions) {
    super(options);
    this.#dialer = options.dialer;
    this.#ownId = parseDeviceId(options.deviceId);
    this.#psk = parsePsk(options.psk);
  }

  /**
   * Shakes hands. Resolves when the session stands; rejects with the UsmpError that ended the attempt, or InvalidStateError
   * where there is one already. The rejection needs no handler, since `ends$` tells as well.
   */
  connect(): Promise<void> {
    return this.attempt(this.#dialer.dial(), (link) => new DatagramClientHandshake(link, this.#ownId, this.#psk));
  }
}
