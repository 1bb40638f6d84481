import type { SchedulerLike, Subscription } from 'rxjs';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { formatDeviceId } from '../protocol/device-id.js';
import { AuthError, HandshakeError, type UsmpError } from '../protocol/errors.js';
import {
  runServerHandshake,
  type HandshakeEnvironment,
  type HandshakeResult,
  type PskLookup,
} from '../session/handshake.js';
import type { AnyTransport } from '../transport/any.js';
import { Admission, type RefusalReason, type SessionRoom, type Visit } from './admission.js';
import { networkOf } from './network-of.js';
import type { DatagramDrop } from '../session/session-event.js';
import type { PskSource } from './psk-source.js';
import type { ConnectionOrigin, ServerEvent } from './server-event.js';
import type { ServerSettings } from './server-options.js';

interface ReceptionOptions {
  readonly settings: ServerSettings;
  readonly psks: PskSource;
  readonly roomFor: (deviceId: string) => SessionRoom;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onAuthenticated: (result: HandshakeResult, origin: ConnectionOrigin) => void;
}

/**
 * Takes connections up to their authentication. Who is turned away for any other reason than a wrong proof sees a connection
 * that breaks: a client takes an orderly end for a wrong PSK.
 */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #admission: Admission;
  readonly #newcomers = new Set<Newcomer>();
  #isClosed = false;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#admission = new Admission(options.settings.admission);
  }

  accept(transport: AnyTransport): void {
    if (this.#isClosed) return turnAway(transport);
    const { onEvent } = this.#options;
    const visit = this.#admission.enter(networkOf(transport.remoteAddress));
    if (typeof visit === 'string') {
      turnAway(transport);
      return onEvent({ type: 'connection-refused', reason: visit, ...originOf(transport) });
    }
    const newcomer = new Newcomer(this.#options, transport, visit, this.#newcomers);
    this.#newcomers.add(newcomer);
    onEvent({ type: 'connection-accepted', ...originOf(transport) });
    newcomer.authenticate();
  }

  /** Abandons the handshakes that are under way, and accepts nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const newcomer of this.#newcomers) newcomer.abandon();
  }
}

/** A connection that was let in and has not proved anything yet; many of them must take little memory. */
class Newcomer implements HandshakeEnvironment {
  readonly #options: ReceptionOptions;
  readonly #transport: AnyTransport;
  readonly #visit: Visit;
  readonly #all: Set<Newcomer>;
  #handshake: Subscription | undefined;
  #deviceId: string | undefined;
  #refusal: RefusalReason | undefined;
  #hasSentError = false;
  #isAbandoned = false;

  /** @param all has it until the end of its handshake */
  constructor(options: ReceptionOptions, transport: AnyTransport, visit: Visit, all: Set<Newcomer>) {
    this.#options = options;
    this.#transport = transport;
    this.#visit = visit;
    this.#all = all;
  }

  get crypto(): CryptoProvider {
    return this.#options.settings.crypto;
  }

  get scheduler(): SchedulerLike {
    return this.#options.settings.scheduler;
  }

  get timeoutMs(): number {
    return this.#options.settings.handshakeTimeoutMs;
  }

  authenticate(): void {
    this.#handshake = runServerHandshake(this.#transport, (id) => this.#lookUp(id), this).subscribe(this);
    // Whoever was told of something may have closed the server.
    if (this.#isAbandoned) this.#handshake.unsubscribe();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#handshake?.unsubscribe();
    this.#leave();
  }

  /** Told once: a peer that nobody knows must not fill a log. */
  onPeerError(code: number, detail: number): void {
    if (!this.#hasSentError) this.#options.onEvent({ type: 'peer-error', code, detail, ...originOf(this.#transport) });
    this.#hasSentError = true;
  }

  onDropped(reason: DatagramDrop): void {
    this.#options.onEvent({ type: 'datagram-dropped', reason, ...originOf(this.#transport) });
  }

  next(result: HandshakeResult): void {
    this.#visit.authenticated();
    this.#options.onAuthenticated(result, originOf(this.#transport));
  }

  error(error: unknown): void {
    const { onEvent, settings } = this.#options;
    if (error instanceof AuthError) this.#visit.failed(settings.scheduler.now());
    onEvent({
      type: 'handshake-failed',
      deviceId: this.#deviceId,
      error: error as UsmpError,
      refusal: this.#refusal,
      ...originOf(this.#transport),
    });
    this.#leave();
  }

  complete(): void {
    this.#leave();
  }

  #lookUp(id: Uint8Array): ReturnType<PskLookup> {
    const { settings, psks, roomFor } = this.#options;
    this.#deviceId = formatDeviceId(id);
    this.#refusal = this.#visit.hello(this.#deviceId, roomFor(this.#deviceId), settings.scheduler.now());
    if (!this.#refusal) return psks.find(this.#deviceId);
    throw new HandshakeError('HANDSHAKE_REFUSED', `turned away: ${this.#refusal}`, { origin: 'local' });
  }

  #leave(): void {
    this.#all.delete(this);
    this.#visit.leave();
  }
}

const originOf = ({ kind, remoteAddress }: AnyTransport): ConnectionOrigin => ({ transport: kind, remoteAddress });

function turnAway(transport: AnyTransport): void {
  if (transport.kind === 'udp') transport.destroy();
  else transport.reset();
}
