import { concatBytes, copyBytes } from '../bytes.js';
import type { CryptoProvider, KeyPair } from '../crypto-provider.js';
import { AuthError, UsmpError, type HandshakeError } from '../errors.js';
import { encodeFrame } from '../frame.js';
import {
  clientHmac,
  deriveSessionKeys,
  serverHmac,
  type DirectionKeys,
  type HandshakeTranscript,
} from '../key-schedule.js';
import { PacketType } from '../packet-type.js';
import type { Secret } from '../secret.js';
import { CHALLENGE_NONCE_BYTES, COOKIE_BYTES, HMAC_BYTES, PUBLIC_KEY_BYTES, SESSION_ID_BYTES } from '../sizes.js';
import {
  agree,
  fail,
  interrupted,
  makeStep,
  wrongPayloadLength,
  type CommonInput,
  type Established,
  type Failed,
  type FrameInput,
  type Handlers,
  type Output,
  type Step,
} from './machine.js';

/** The client's half of protocol.md section 3. */
export const CLIENT_TRANSITIONS = {
  Start: { start: 'ExpectChallenge', startOnDatagrams: 'ExpectRetryOrChallenge' },
  ExpectRetryOrChallenge: { HELLO_RETRY: 'ExpectChallenge', CHALLENGE: 'ExpectSessionOk' },
  ExpectChallenge: { CHALLENGE: 'ExpectSessionOk' },
  ExpectSessionOk: { SESSION_OK: 'Established' },
  Established: {},
  Failed: {},
} as const;

interface Start {
  readonly name: 'Start';
  readonly deviceId: Uint8Array;
  readonly psk: Secret;
}
interface HelloSent {
  readonly deviceId: Uint8Array;
  readonly psk: Secret;
  readonly keyPair: KeyPair;
}
/** Only on datagrams, where a server may want its cookie back first; one HELLO_RETRY is accepted. */
interface ExpectRetryOrChallenge extends HelloSent {
  readonly name: 'ExpectRetryOrChallenge';
}
interface ExpectChallenge extends HelloSent {
  readonly name: 'ExpectChallenge';
}
interface ExpectSessionOk {
  readonly name: 'ExpectSessionOk';
  readonly psk: Secret;
  readonly transcript: HandshakeTranscript;
  readonly keys: DirectionKeys;
}
export type ClientHandshakeState =
  | Start
  | ExpectRetryOrChallenge
  | ExpectChallenge
  | ExpectSessionOk
  | Established
  | Failed;
export type ClientHandshakeInput =
  | CommonInput
  /** The server is reached by a byte stream. */
  | { readonly kind: 'start' }
  /** It is reached by datagrams. */
  | { readonly kind: 'startOnDatagrams' };

/** HELLO is 0, with a cookie 1, CHALLENGE 0, HELLO_ACK 2, SESSION_OK 0 on every transport, protocol.md section 3. */
const HELLO_SEQ = 0;
const HELLO_WITH_COOKIE_SEQ = 1;
const HELLO_ACK_SEQ = 2;

/** @param deviceId 6 bytes */
export const clientHandshake = (deviceId: Uint8Array, psk: Secret): ClientHandshakeState => ({
  name: 'Start',
  deviceId,
  psk,
});

function hello({ deviceId, psk }: Start, crypto: CryptoProvider): { state: HelloSent; outputs: readonly Output[] } {
  const keyPair = crypto.generateKeyPair();
  const bytes = encodeFrame(PacketType.HELLO, HELLO_SEQ, concatBytes(deviceId, keyPair.publicKey));
  return { state: { deviceId, psk, keyPair }, outputs: [{ kind: 'send', bytes }] };
}

function takeChallenge(
  { deviceId, psk, keyPair }: HelloSent,
  { frame }: FrameInput,
  crypto: CryptoProvider,
): Step<ExpectSessionOk | Failed> {
  const wrongLength = wrongPayloadLength(frame, CHALLENGE_NONCE_BYTES + PUBLIC_KEY_BYTES);
  if (wrongLength) return fail(wrongLength);
  const transcript: HandshakeTranscript = {
    deviceId,
    clientPublicKey: keyPair.publicKey,
    serverPublicKey: copyBytes(frame.payload, CHALLENGE_NONCE_BYTES),
    nonce: copyBytes(frame.payload, 0, CHALLENGE_NONCE_BYTES),
  };
  const shared = agree(keyPair, transcript.serverPublicKey);
  if (shared instanceof UsmpError) return fail(shared);
  const keys = deriveSessionKeys(crypto, 'client', shared, transcript);
  const helloAck = encodeFrame(PacketType.HELLO_ACK, HELLO_ACK_SEQ, clientHmac(crypto, psk, transcript));
  return {
    state: { name: 'ExpectSessionOk', psk, transcript, keys },
    outputs: [{ kind: 'send', bytes: helloAck }],
  };
}

const handlers: Handlers<typeof CLIENT_TRANSITIONS, ClientHandshakeState, ClientHandshakeInput> = {
  Start: {
    start(start, _input, crypto) {
      const { state, outputs } = hello(start, crypto);
      return { state: { name: 'ExpectChallenge', ...state }, outputs };
    },
    startOnDatagrams(start, _input, crypto) {
      const { state, outputs } = hello(start, crypto);
      return { state: { name: 'ExpectRetryOrChallenge', ...state }, outputs };
    },
  },
  ExpectRetryOrChallenge: {
    HELLO_RETRY(state, { frame }) {
      const wrongLength = wrongPayloadLength(frame, COOKIE_BYTES);
      if (wrongLength) return fail(wrongLength);
      const payload = concatBytes(state.deviceId, state.keyPair.publicKey, frame.payload);
      const bytes = encodeFrame(PacketType.HELLO, HELLO_WITH_COOKIE_SEQ, payload);
      return { state: { ...state, name: 'ExpectChallenge' }, outputs: [{ kind: 'send', bytes }] };
    },
    CHALLENGE: takeChallenge,
  },
  ExpectChallenge: { CHALLENGE: takeChallenge },
  ExpectSessionOk: {
    SESSION_OK({ psk, transcript, keys }, { frame }, crypto) {
      const wrongLength = wrongPayloadLength(frame, SESSION_ID_BYTES + HMAC_BYTES);
      if (wrongLength) return fail(wrongLength);
      const sessionId = copyBytes(frame.payload, 0, SESSION_ID_BYTES);
      const expected = serverHmac(crypto, psk, transcript, sessionId);
      if (!crypto.equal(expected, frame.payload.subarray(SESSION_ID_BYTES))) {
        return fail(new AuthError('AUTH_HMAC', 'the server does not know the PSK'));
      }
      return {
        state: { name: 'Established' },
        outputs: [{ kind: 'established', session: { role: 'client', deviceId: transcript.deviceId, sessionId, keys } }],
      };
    },
  },
  Established: {},
  Failed: {},
};

/** A server says nothing to a wrong proof: it closes. An orderly close in answer to HELLO_ACK therefore means a refusal. */
function explainEnd(state: ClientHandshakeState, cause: unknown): HandshakeError {
  if (state.name !== 'ExpectSessionOk' || cause !== undefined) return interrupted(state, cause);
  return new AuthError('AUTH_REJECTED', 'the server closed the connection in answer to the proof of the PSK');
}

/** One step of a client's handshake. */
export const stepClientHandshake = makeStep<typeof CLIENT_TRANSITIONS, ClientHandshakeState, ClientHandshakeInput>(
  handlers,
  explainEnd,
);
