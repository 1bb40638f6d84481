import { concatBytes, copyBytes } from '../bytes.js';
import type { KeyPair } from '../crypto-provider.js';
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
import { CHALLENGE_NONCE_BYTES, HMAC_BYTES, PUBLIC_KEY_BYTES, SESSION_ID_BYTES } from '../sizes.js';
import {
  agree,
  fail,
  interrupted,
  makeStep,
  wrongPayloadLength,
  type CommonInput,
  type Established,
  type Failed,
  type Handlers,
} from './machine.js';

/** The client's half of protocol.md section 3. */
export const CLIENT_TRANSITIONS = {
  Start: { start: 'ExpectChallenge' },
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
interface ExpectChallenge {
  readonly name: 'ExpectChallenge';
  readonly deviceId: Uint8Array;
  readonly psk: Secret;
  readonly keyPair: KeyPair;
}
interface ExpectSessionOk {
  readonly name: 'ExpectSessionOk';
  readonly psk: Secret;
  readonly transcript: HandshakeTranscript;
  readonly keys: DirectionKeys;
}
export type ClientHandshakeState = Start | ExpectChallenge | ExpectSessionOk | Established | Failed;
export type ClientHandshakeInput = CommonInput | { readonly kind: 'start' };

/** HELLO is 0, CHALLENGE 0, HELLO_ACK 2, SESSION_OK 0 on every transport, protocol.md section 3. */
const HELLO_SEQ = 0;
const HELLO_ACK_SEQ = 2;

/** @param deviceId 6 bytes */
export const clientHandshake = (deviceId: Uint8Array, psk: Secret): ClientHandshakeState => ({
  name: 'Start',
  deviceId,
  psk,
});

const handlers: Handlers<typeof CLIENT_TRANSITIONS, ClientHandshakeState, ClientHandshakeInput> = {
  Start: {
    start({ deviceId, psk }, _input, crypto) {
      const keyPair = crypto.generateKeyPair();
      const hello = encodeFrame(PacketType.HELLO, HELLO_SEQ, concatBytes(deviceId, keyPair.publicKey));
      return {
        state: { name: 'ExpectChallenge', deviceId, psk, keyPair },
        outputs: [{ kind: 'send', bytes: hello }],
      };
    },
  },
  ExpectChallenge: {
    CHALLENGE({ deviceId, psk, keyPair }, { frame }, crypto) {
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
    },
  },
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
