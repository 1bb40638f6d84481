import { Observable, type SchedulerLike } from 'rxjs';
import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { HandshakeError, UsmpError } from '../protocol/errors.js';
import type { Frame } from '../protocol/frame.js';
import {
  clientHandshake,
  stepClientHandshake,
  type ClientHandshakeInput,
  type ClientHandshakeState,
} from '../protocol/handshake/client.js';
import type { CommonInput, Output, Step } from '../protocol/handshake/machine.js';
import {
  serverHandshake,
  stepServerHandshake,
  type ServerHandshakeInput,
  type ServerHandshakeState,
} from '../protocol/handshake/server.js';
import type { Secret } from '../protocol/secret.js';
import type { Transport } from '../transport/transport.js';
import type { AnyTransport } from '../transport/any.js';
import { driveOnDatagrams, type DatagramHandshakeResult } from './datagram/handshake.js';
import type { DatagramDrop } from './session-event.js';
import { driveOnStream } from './stream/handshake.js';
import type { StreamHandshakeResult } from './stream/link.js';

/** A handshake that came to a session. */
export type HandshakeResult = StreamHandshakeResult | DatagramHandshakeResult;
/** What a handshake on this transport comes to. */
export type HandshakeResultOn<T extends AnyTransport> = T extends Transport
  ? StreamHandshakeResult
  : DatagramHandshakeResult;

export interface HandshakeEnvironment {
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly timeoutMs: number;
  /** The peer sent ERROR, which proves nothing. */
  readonly onPeerError?: (code: number, detail: number) => void;
  /** A datagram was passed over, since it does not fit or proves nothing. */
  readonly onDropped?: (reason: DatagramDrop) => void;
}

/** What a role adds to the driver: its machine, and an answer to `pskNeeded`. */
export interface Role<Input> {
  /** One step of the machine, which keeps its state. */
  step(input: Input | CommonInput): readonly Output[];
  /** The same for a frame that may be forged: one that would fail the handshake changes nothing, and its error is returned. */
  offer(frame: Frame): readonly Output[] | UsmpError;
  onPskNeeded(deviceId: Uint8Array, answer: (input: Input) => void, fail: (error: UsmpError) => void): void;
}

/** Who is told what a handshake came to. */
export interface HandshakeOutcome<Result> {
  next(result: Result): void;
  complete(): void;
  error(error: unknown): void;
}

/**
 * Runs a client's handshake (protocol.md section 3, on datagrams section 7) on a transport: emits the result and completes, or
 * errors with the UsmpError that ended it and closes the transport. Unsubscribing before closes the transport too.
 */
export function runClientHandshake<T extends AnyTransport>(
  transport: T,
  deviceId: Uint8Array,
  psk: Secret,
  environment: HandshakeEnvironment,
): Observable<HandshakeResultOn<T>> {
  const newRole = (): Role<ClientHandshakeInput> => new ClientRole(deviceId, psk, environment.crypto);
  return run(transport, newRole, environment, { kind: transport.kind === 'udp' ? 'startOnDatagrams' : 'start' });
}

/** The PSKs of a device, given at once or later; none where it is unknown. */
export type PskLookup = (deviceId: Uint8Array) => readonly Secret[] | Promise<readonly Secret[]>;

/** The same for a server. A lookup that throws or rejects fails this handshake with `PSK_LOOKUP_FAILED`. */
export function runServerHandshake<T extends AnyTransport>(
  transport: T,
  lookUp: PskLookup,
  environment: HandshakeEnvironment,
): Observable<HandshakeResultOn<T>> {
  return run(transport, () => new ServerRole(lookUp, environment.crypto), environment);
}

const lookupFailed = (cause: unknown): UsmpError =>
  cause instanceof UsmpError
    ? cause
    : new HandshakeError('PSK_LOOKUP_FAILED', 'looking the PSK up failed', { cause, origin: 'local' });

function run<T extends AnyTransport, Input>(
  transport: T,
  newRole: () => Role<Input>,
  environment: HandshakeEnvironment,
  first?: Input,
): Observable<HandshakeResultOn<T>> {
  const result$ = new Observable<HandshakeResult>((subscriber) =>
    transport.kind === 'udp'
      ? driveOnDatagrams(transport, newRole(), environment, subscriber, first)
      : driveOnStream(transport, newRole(), environment, subscriber, first),
  );
  return result$ as Observable<HandshakeResultOn<T>>;
}

/** A machine and its state. */
abstract class KeptMachine<State extends { readonly name: string }, Input> implements Role<Input> {
  #state: State;
  readonly #crypto: CryptoProvider;

  constructor(first: State, crypto: CryptoProvider) {
    this.#state = first;
    this.#crypto = crypto;
  }

  step(input: Input | CommonInput): readonly Output[] {
    const { state, outputs } = this.next(this.#state, input, this.#crypto);
    this.#state = state;
    return outputs;
  }

  offer(frame: Frame): readonly Output[] | UsmpError {
    const { state, outputs } = this.next(this.#state, { kind: 'frame', frame }, this.#crypto);
    const [output] = outputs;
    if (output?.kind === 'failed') return output.error;
    this.#state = state;
    return outputs;
  }

  abstract onPskNeeded(deviceId: Uint8Array, answer: (input: Input) => void, fail: (error: UsmpError) => void): void;

  protected abstract next(state: State, input: Input | CommonInput, crypto: CryptoProvider): Step<State>;
}

class ClientRole extends KeptMachine<ClientHandshakeState, ClientHandshakeInput> {
  constructor(deviceId: Uint8Array, psk: Secret, crypto: CryptoProvider) {
    super(clientHandshake(deviceId, psk), crypto);
  }

  onPskNeeded(): void {}

  protected next(state: ClientHandshakeState, input: ClientHandshakeInput, crypto: CryptoProvider) {
    return stepClientHandshake(state, input, crypto);
  }
}

class ServerRole extends KeptMachine<ServerHandshakeState, ServerHandshakeInput> {
  readonly #lookUp: PskLookup;

  constructor(lookUp: PskLookup, crypto: CryptoProvider) {
    super(serverHandshake(), crypto);
    this.#lookUp = lookUp;
  }

  onPskNeeded(
    deviceId: Uint8Array,
    answer: (input: ServerHandshakeInput) => void,
    fail: (error: UsmpError) => void,
  ): void {
    const found = (psks: readonly Secret[]): void => answer({ kind: 'psks', psks });
    const failed = (cause: unknown): void => fail(lookupFailed(cause));
    try {
      const psks = this.#lookUp(deviceId);
      if (psks instanceof Promise) psks.then(found).catch(failed);
      else found(psks);
    } catch (cause) {
      failed(cause);
    }
  }

  protected next(state: ServerHandshakeState, input: ServerHandshakeInput, crypto: CryptoProvider) {
    return stepServerHandshake(state, input, crypto);
  }
}
