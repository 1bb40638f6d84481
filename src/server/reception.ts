import { finalize, Subscription } from 'rxjs';
import { formatDeviceId } from '../protocol/device-id.js';
import { AuthError, HandshakeError, type UsmpError } from '../protocol/errors.js';
import { runServerHandshake, type HandshakeResult, type PskLookup } from '../session/handshake.js';
import type { Transport } from '../transport/transport.js';
import { Admission, type RefusalReason, type SessionRoom, type Visit } from './admission.js';
import { networkOf } from './network-of.js';
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

  accept(transport: Transport): void {
    if (this.#handshakes.closed) return transport.reset();
    const { onEvent } = this.#options;
    const origin: ConnectionOrigin = { transport: transport.kind, remoteAddress: transport.remoteAddress };
    const visit = this.#admission.enter(networkOf(transport.remoteAddress));
    if (typeof visit === 'string') {
      transport.reset();
      return onEvent({ type: 'connection-refused', reason: visit, ...origin });
    }
    onEvent({ type: 'connection-accepted', ...origin });
    this.#handshakes.add(this.#authenticate(transport, origin, visit));
  }

  /** Abandons the handshakes that are under way, and accepts nothing more. */
  close(): void {
    this.#handshakes.unsubscribe();
  }

  #authenticate(transport: Transport, origin: ConnectionOrigin, visit: Visit): Subscription {
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

    return runServerHandshake(transport, lookUp, { crypto, scheduler, timeoutMs, onPeerError })
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
