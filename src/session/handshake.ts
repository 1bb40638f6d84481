import { Observable, type SchedulerLike } from 'rxjs';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { AuthError, HandshakeError, UsmpError } from '../protocol/errors.js';
import { FrameDecoder } from '../protocol/frame-decoder.js';
import { clientHandshake, stepClientHandshake, type ClientHandshakeInput } from '../protocol/handshake/client.js';
import type { CommonInput, Output, Step } from '../protocol/handshake/machine.js';
import { serverHandshake, stepServerHandshake, type ServerHandshakeInput } from '../protocol/handshake/server.js';
import type { Secret } from '../protocol/secret.js';
import type { EstablishedSession } from '../protocol/secure-channel.js';
import type { Transport } from '../transport/transport.js';

/** A handshake that came to a session. */
export interface HandshakeResult {
  readonly transport: Transport;
  /** Frames of the session may wait in it already. */
  readonly decoder: FrameDecoder;
  readonly established: EstablishedSession;
}

export interface HandshakeEnvironment {
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly timeoutMs: number;
  /** The peer sent ERROR, which proves nothing. */
  readonly onPeerError?: (code: number, detail: number) => void;
}

/** What a role adds to the driver: its machine, and an answer to `pskNeeded`. */
interface Role<Input> {
  /** One step of the machine; it keeps its state. */
  readonly step: (input: Input | CommonInput) => readonly Output[];
  readonly onPskNeeded: (
    deviceId: Uint8Array,
    answer: (input: Input) => void,
    fail: (error: UsmpError) => void,
  ) => void;
}

/**
 * Runs a client's handshake (protocol.md section 3) on a transport: emits the result and completes, or errors with the
 * UsmpError that ended it and closes the transport. Unsubscribing before closes the transport too.
 */
export function runClientHandshake(
  transport: Transport,
  deviceId: Uint8Array,
  psk: Secret,
  environment: HandshakeEnvironment,
): Observable<HandshakeResult> {
  return new Observable((subscriber) => {
    const step = keepState(stepClientHandshake, clientHandshake(deviceId, psk), environment.crypto);
    const role: Role<ClientHandshakeInput> = { step, onPskNeeded: () => {} };
    return drive(transport, role, environment, subscriber, { kind: 'start' });
  });
}

/** The PSKs of a device, given at once or later; none where it is unknown. */
export type PskLookup = (deviceId: Uint8Array) => readonly Secret[] | Promise<readonly Secret[]>;

/** The same for a server. A lookup that throws or rejects fails this handshake with `PSK_LOOKUP_FAILED`. */
export function runServerHandshake(
  transport: Transport,
  lookUp: PskLookup,
  environment: HandshakeEnvironment,
): Observable<HandshakeResult> {
  return new Observable((subscriber) => {
    const role: Role<ServerHandshakeInput> = {
      step: keepState(stepServerHandshake, serverHandshake(), environment.crypto),
      onPskNeeded: (deviceId, answer, fail) => {
        const found = (psks: readonly Secret[]): void => answer({ kind: 'psks', psks });
        const failed = (cause: unknown): void => fail(lookupFailed(cause));
        try {
          const psks = lookUp(deviceId);
          if (psks instanceof Promise) psks.then(found).catch(failed);
          else found(psks);
        } catch (cause) {
          failed(cause);
        }
      },
    };
    return drive(transport, role, environment, subscriber);
  });
}

const lookupFailed = (cause: unknown): UsmpError =>
  cause instanceof UsmpError
    ? cause
    : new HandshakeError('PSK_LOOKUP_FAILED', 'looking the PSK up failed', { cause, origin: 'local' });

function keepState<State, Input>(
  step: (state: State, input: Input | CommonInput, crypto: CryptoProvider) => Step<State>,
  first: State,
  crypto: CryptoProvider,
): (input: Input | CommonInput) => readonly Output[] {
  let state = first;
  return (input) => {
    const next = step(state, input, crypto);
    state = next.state;
    return next.outputs;
  };
}

interface Outcome {
  next(result: HandshakeResult): void;
  complete(): void;
  error(error: unknown): void;
}

/** The driver of either role: frames and time in, bytes out. Returns the teardown. */
function drive<Input>(
  transport: Transport,
  role: Role<Input>,
  { scheduler, timeoutMs, onPeerError }: HandshakeEnvironment,
  outcome: Outcome,
  first?: Input,
): () => void {
  const decoder = new FrameDecoder();
  let over = false;
  const limit = scheduler.schedule(() => take({ kind: 'timeout' }), timeoutMs);

  const take = (input: Input | CommonInput): void => {
    if (!over) for (const output of role.step(input)) carryOut(output);
  };
  const fail = (error: UsmpError): void => {
    if (over) return;
    over = true;
    limit.unsubscribe();
    // An orderly end tells a client that its proof was refused, and only that: after anything else it may try again.
    if (error.code === 'HANDSHAKE_INTERRUPTED') transport.destroy();
    else if (error instanceof AuthError) endOrderly();
    else transport.reset();
    outcome.error(error);
  };
  const endOrderly = (): void => {
    const linger = scheduler.schedule(() => transport.destroy(), LINGER_MS);
    transport.attach({ data() {}, drain() {}, end: () => linger.unsubscribe() });
    transport.end();
  };
  const carryOut = (output: Output): void => {
    switch (output.kind) {
      case 'send':
        transport.write(output.bytes);
        break;
      case 'pskNeeded':
        role.onPskNeeded(output.deviceId, take, fail);
        break;
      case 'peerError':
        onPeerError?.(output.code, output.detail);
        break;
      case 'failed':
        fail(output.error);
        break;
      case 'established':
        over = true;
        limit.unsubscribe();
        outcome.next({ transport, decoder, established: output.session });
        outcome.complete();
    }
  };

  transport.attach({
    data(bytes) {
      decoder.push(bytes);
      try {
        for (let frame = over ? undefined : decoder.next(); frame; frame = over ? undefined : decoder.next()) {
          take({ kind: 'frame', frame });
        }
      } catch (error) {
        if (!(error instanceof UsmpError)) throw error;
        fail(error);
      }
    },
    drain() {},
    end: (cause) => take({ kind: 'end', cause }),
  });
  if (first) take(first);

  return () => {
    if (over) return;
    over = true;
    limit.unsubscribe();
    transport.reset();
  };
}

/** How long a refused peer may take to close its side. */
const LINGER_MS = 1_000;
