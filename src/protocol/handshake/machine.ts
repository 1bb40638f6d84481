import type { CryptoProvider, KeyPair } from '../crypto-provider.js';
import { HandshakeError, InvalidStateError, TimeoutError, UsmpError } from '../errors.js';
import type { Frame } from '../frame.js';
import { PacketType, packetTypeName, type PacketTypeName } from '../packet-type.js';
import type { EstablishedSession } from '../secure-channel.js';

/** State → event → next state. An event is a packet type's name or an input's kind. What is not in it fails the handshake. */
export type TransitionTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface FrameInput {
  readonly kind: 'frame';
  readonly frame: Frame;
}

/** What can happen to a handshake in either role. */
export type CommonInput =
  | FrameInput
  /** The byte stream ended; `cause` where it broke. */
  | { readonly kind: 'end'; readonly cause?: unknown }
  /** The time for the handshake is over. */
  | { readonly kind: 'timeout' };

/** What a handshake wants done, in order. */
export type Output =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Look up the PSKs of this device (6 bytes) and give them to the machine with the input `psks`. */
  | { readonly kind: 'pskNeeded'; readonly deviceId: Uint8Array }
  /** The peer sent ERROR. It proves nothing and changes nothing; log it. */
  | { readonly kind: 'peerError'; readonly code: number; readonly detail: number }
  | { readonly kind: 'established'; readonly session: EstablishedSession }
  | { readonly kind: 'failed'; readonly error: UsmpError };

export interface Established {
  readonly name: 'Established';
}
export interface Failed {
  readonly name: 'Failed';
  readonly error: UsmpError;
}

export interface Step<State> {
  readonly state: State;
  readonly outputs: readonly Output[];
}

interface Named {
  readonly name: string;
}
type InputOf<Event, Input> = Event extends PacketTypeName ? FrameInput : Extract<Input, { kind: Event }>;

/** A function for each entry of the table, typed by it: it can go where the table says, or fail. */
export type Handlers<Table extends TransitionTable, State extends Named, Input> = {
  readonly [Name in keyof Table]: {
    readonly [Event in keyof Table[Name]]: (
      state: Extract<State, { name: Name }>,
      input: InputOf<Event, Input>,
      crypto: CryptoProvider,
    ) => Step<Extract<State, { name: Table[Name][Event] }> | Failed>;
  };
};

export const fail = (error: UsmpError): Step<Failed> => ({
  state: { name: 'Failed', error },
  outputs: [{ kind: 'failed', error }],
});

/**
 * The step function of a table and its handlers. It never throws for anything that a peer sends: bad input becomes the
 * output `failed`. `Established` and `Failed` are final and take every input without effect.
 * @throws InvalidStateError where the driver gives an input that the machine did not ask for.
 */
export function makeStep<Table extends TransitionTable, State extends Named, Input extends { readonly kind: string }>(
  handlers: Handlers<Table, State, Input>,
  explainEnd: (state: State, cause: unknown) => HandshakeError,
) {
  return (state: State, input: Input | CommonInput, crypto: CryptoProvider): Step<State | Failed> => {
    if (state.name === 'Established' || state.name === 'Failed') return { state, outputs: [] };
    if (isKind(input, 'timeout')) return fail(timedOut(state.name));
    if (isKind(input, 'end')) return fail(explainEnd(state, input.cause));
    if (isKind(input, 'frame') && input.frame.type === PacketType.ERROR) {
      return { state, outputs: peerError(input.frame) };
    }
    const event = isKind(input, 'frame') ? packetTypeName(input.frame.type) : input.kind;
    const row = handlers[state.name] as Readonly<Record<string, AnyHandler<State>>>;
    const handler = row[event];
    if (handler) return handler(state, input, crypto);
    if (isKind(input, 'frame')) return fail(unexpectedFrame(state.name, Object.keys(row), input.frame));
    throw new InvalidStateError('WRONG_STATE', `input ${input.kind} in state ${state.name} of the handshake`);
  };
}

type AnyHandler<State> = (state: State, input: unknown, crypto: CryptoProvider) => Step<State | Failed>;

function isKind<K extends CommonInput['kind']>(
  input: { readonly kind: string },
  kind: K,
): input is Extract<CommonInput, { kind: K }> {
  return input.kind === kind;
}

const timedOut = (state: string): TimeoutError =>
  new TimeoutError('TIMEOUT_HANDSHAKE', `the handshake took too long, it ended in state ${state}`);

/** The usual meaning of an end of the byte stream. */
export const interrupted = (state: Named, cause: unknown): HandshakeError =>
  new HandshakeError('HANDSHAKE_INTERRUPTED', `the connection ended in state ${state.name} of the handshake`, {
    cause,
  });

function unexpectedFrame(state: string, expected: readonly string[], frame: Frame): HandshakeError {
  return new HandshakeError(
    'HANDSHAKE_UNEXPECTED_FRAME',
    `${packetTypeName(frame.type)} in state ${state} of the handshake, expected ${expected.join(' or ')}`,
  );
}

/** ERROR carries code(1) || detail(2) in the clear, protocol.md section 2. */
function peerError({ payload }: Frame): readonly Output[] {
  if (payload.length !== 3) return [];
  const [code, low, high] = Array.from(payload) as [number, number, number];
  return [{ kind: 'peerError', code, detail: low | (high << 8) }];
}

/** The error where a payload has none of the lengths that protocol.md section 3 gives it. */
export function wrongPayloadLength(frame: Frame, ...lengths: readonly number[]): HandshakeError | undefined {
  if (lengths.includes(frame.payload.length)) return undefined;
  return new HandshakeError(
    'HANDSHAKE_PAYLOAD_LENGTH',
    `${packetTypeName(frame.type)} with a payload of ${frame.payload.length} bytes, expected ${lengths.join(' or ')}`,
  );
}

/** The shared secret, or the typed error for a low-order public key: one peer's failure, not an exception. */
export function agree(keyPair: KeyPair, peerPublicKey: Uint8Array): Uint8Array | UsmpError {
  try {
    return keyPair.agree(peerPublicKey);
  } catch (error) {
    if (error instanceof UsmpError) return error;
    throw error;
  }
}
