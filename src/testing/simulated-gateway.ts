import { of, Subject, type Observable } from 'rxjs';
import { parsePsk, type PskInput, type Secret } from '../protocol/index.js';
import { runServerHandshake } from '../session/handshake.js';
import type { Listener, Transport } from '../transport/transport.js';
import { SimulatedPeer, type SimulatedPeerOptions } from './simulated-peer.js';

export interface SimulatedGatewayOptions extends SimulatedPeerOptions {
  readonly listener: Listener;
  /** Of every device. */
  readonly psk: PskInput;
  /** Whether it shakes hands; otherwise what is said is left to `sendRaw` of its peers. The default is true. */
  readonly shakesHands?: boolean;
}

/** A server to test a client against: each connection is a simulated peer of its own. */
export class SimulatedGateway {
  /** Connections, from the moment they are accepted. Hot; never errors, never completes. */
  readonly peers$: Observable<SimulatedPeer>;
  readonly #peers$ = new Subject<SimulatedPeer>();
  readonly #options: SimulatedGatewayOptions;
  readonly #psk: Secret;
  #latest: SimulatedPeer | undefined;

  /** @throws ConfigError for a PSK that can't be one */
  constructor(options: SimulatedGatewayOptions) {
    this.#options = options;
    this.#psk = parsePsk(options.psk);
    this.peers$ = this.#peers$.asObservable();
  }

  /** The connection that was accepted last. */
  get latest(): SimulatedPeer | undefined {
    return this.#latest;
  }

  /** Starts to accept; resolves with the address. */
  listen(): Promise<string> {
    return this.#options.listener.listen((transport) => {
      const peer = new AcceptedPeer(this.#options, transport);
      this.#latest = peer;
      this.#peers$.next(peer);
      peer.accept(this.#options.shakesHands === false ? undefined : this.#psk);
    });
  }

  /** Accepts nothing more; connections live on. */
  close(): Promise<void> {
    return this.#options.listener.close();
  }
}

class AcceptedPeer extends SimulatedPeer {
  readonly #accepted: Transport;

  constructor(options: SimulatedPeerOptions, transport: Transport) {
    super(options);
    this.#accepted = transport;
  }

  accept(psk?: Secret): void {
    void this.attempt(
      of(this.#accepted),
      psk && { run: (transport) => runServerHandshake(transport, () => [psk], this.environment) },
    );
  }
}
