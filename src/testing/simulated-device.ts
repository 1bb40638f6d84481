import { parseDeviceId, parsePsk, type PskInput, type Secret } from '../protocol/index.js';
import { runClientHandshake } from '../session/handshake.js';
import type { Dialer } from '../transport/transport.js';
import { SimulatedPeer, type SimulatedPeerOptions } from './simulated-peer.js';

export interface SimulatedDeviceOptions extends SimulatedPeerOptions {
  /** How it reaches its server: of a memory network, or `tcpDialer` for a real one. */
  readonly dialer: Dialer;
  /** `00:11:22:33:44:55`, or 6 bytes. */
  readonly deviceId: string | Uint8Array;
  readonly psk: PskInput;
}

/** A microcontroller: a simulated peer that connects as a client, as often as it is told to. */
export class SimulatedDevice extends SimulatedPeer {
  readonly #dialer: Dialer;
  readonly #ownId: Uint8Array;
  readonly #psk: Secret;

  /** @throws ConfigError for a device id or PSK that can't be one */
  constructor(options: SimulatedDeviceOptions) {
    super(options);
    this.#dialer = options.dialer;
    this.#ownId = parseDeviceId(options.deviceId);
    this.#psk = parsePsk(options.psk);
  }

  /**
   * Dials and shakes hands. Resolves when the session stands; rejects with the UsmpError that ended the attempt, or
   * InvalidStateError where there is one already. The rejection needs no handler, since `ends$` tells as well.
   */
  connect(): Promise<void> {
    return this.attempt(this.#dialer.dial(), {
      run: (transport) => runClientHandshake(transport, this.#ownId, this.#psk, this.environment),
    });
  }

  /** Dials and shakes no hands: what is said is left to `sendRaw`, what is heard comes from `bytes$`. */
  connectRaw(): Promise<void> {
    return this.attempt(this.#dialer.dial());
  }
}
