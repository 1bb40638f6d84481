import { finalize, Subscription } from 'rxjs';
import { formatDeviceId } from '../protocol/device-id.js';
import { AuthError, HandshakeError, type UsmpError } from '../protocol/errors.js';
import { runServerHandshake, type HandshakeResult, type PskLookup } from '../session/handshake.js';
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
  readonly #handshakes = new Subscription();

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#admission = new Admission(options.settings.admission);
  }

  accept(transport: AnyTransport): void {
    if (this.#handshakes.closed) return turnAway(transport);
    const { onEvent } = this.#options;
    const origin: ConnectionOrigin = { transport: transport.kind, remoteAddress: transport.remoteAddress };
    const visit = this.#admission.enter(networkOf(transport.remoteAddress));
    if (typeof visit === 'string') {
      turnAway(transport);
      return onEvent({ type: 'connection-refused', reason: visit, ...origin });
    }
    onEvent({ type: 'connection-accepted', ...origin });
    this.#handshakes.add(this.#authenticate(transport, origin, visit));
  }

  /** Abandons the handshakes that are under way, and accepts nothing more. */
  close(): void {
    this.#handshakes.unsubscribe();
  }

  #authenticate(transport: AnyTransport, origin: ConnectionOrigin, visit: Visit): Subscription {
    const { settings, psks, roomFor, onEvent, onAuthenticated } = this.#options;
    const { crypto, scheduler, handshakeTimeoutMs: timeoutMs } = settings;
    let deviceId: string | undefined;
    let refusal: RefusalReason | undefined;
    const lookUp: PskLookup = (id) => {
      deviceId = formatDeviceId(id);
      refusal = visit.hello(deviceId, roomFor(deviceId), scheduler.now());
      if (refusal) throw new HandshakeError('HANDSHAKE_REFUSED', `turned away: ${refusal}`, { origin: 'local' });
      return psks.find(deviceId);
    };
    // Told once: a peer that nobody knows must not fill a log.
    let hasSentError = false;
    const onPeerError = (code: number, detail: number): void => {
      if (!hasSentError) onEvent({ type: 'peer-error', code, detail, ...origin });
      hasSentError = true;
    };

    const onDropped = (reason: DatagramDrop): void => onEvent({ type: 'datagram-dropped', reason, ...origin });

    return runServerHandshake(transport, lookUp, { crypto, scheduler, timeoutMs, onPeerError, onDropped })
      .pipe(finalize(() => visit.leave()))
      .subscribe({
        next: (result) => {
          visit.authenticated();
          onAuthenticated(result, origin);
        },
        error: (error: unknown) => {
          if (error instanceof AuthError) visit.failed(scheduler.now());
          onEvent({ type: 'handshake-failed', deviceId, error: error as UsmpError, refusal, ...origin });
        },
      });
  }
}

function turnAway(transport: AnyTransport): void {
  if (transport.kind === 'udp') transport.destroy();
  else transport.reset();
}
