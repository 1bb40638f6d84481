import { concatBytes, copyBytes } from '../bytes.js';
import { AuthError, UsmpError } from '../errors.js';
import { encodeFrame } from '../frame.js';
import {
  clientHmac,
  deriveSessionKeys,
  serverHmac,
  type DirectionKeys,
  type HandshakeTranscript,
} from '../key-schedule.js';
import { PacketType } from '../packet-type.js';
import { Secret } from '../secret.js';
import {
  CHALLENGE_NONCE_BYTES,
  COOKIE_BYTES,
  DEVICE_ID_BYTES,
  HMAC_BYTES,
  KEY_BYTES,
  PUBLIC_KEY_BYTES,
  SESSION_ID_BYTES,
} from '../sizes.js';
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

/** The server's half of protocol.md section 3. */
export const SERVER_TRANSITIONS = {
  ExpectHello: { HELLO: 'AwaitPsk' },
  AwaitPsk: { psks: 'ExpectHelloAck' },
  ExpectHelloAck: { HELLO_ACK: 'Established' },
  Established: {},
  Failed: {},
} as const;

interface ExpectHello {
  readonly name: 'ExpectHello';
}
interface AwaitPsk {
  readonly name: 'AwaitPsk';
  readonly deviceId: Uint8Array;
  readonly clientPublicKey: Uint8Array;
}
interface ExpectHelloAck {
  readonly name: 'ExpectHelloAck';
  /** A single random one where the device is unknown, so that its client can't tell. */
  readonly psks: readonly Secret[];
  readonly deviceIsKnown: boolean;
  readonly transcript: HandshakeTranscript;
  readonly keys: DirectionKeys;
}
export type ServerHandshakeState = ExpectHello | AwaitPsk | ExpectHelloAck | Established | Failed;
export type ServerHandshakeInput =
  | CommonInput
  /** The answer to `pskNeeded`: the valid PSKs of the device, none where it is unknown, two while one is rotated in. */
  | { readonly kind: 'psks'; readonly psks: readonly Secret[] };

/** CHALLENGE and SESSION_OK are both 0, protocol.md section 3. */
const SERVER_SEQ = 0;
const HELLO_BYTES = DEVICE_ID_BYTES + PUBLIC_KEY_BYTES;

export const serverHandshake = (): ServerHandshakeState => ({ name: 'ExpectHello' });

const handlers: Handlers<typeof SERVER_TRANSITIONS, ServerHandshakeState, ServerHandshakeInput> = {
  ExpectHello: {
    HELLO(_state, { frame }) {
      const wrongLength = wrongPayloadLength(frame, HELLO_BYTES, HELLO_BYTES + COOKIE_BYTES);
      if (wrongLength) return fail(wrongLength);
      const deviceId = copyBytes(frame.payload, 0, DEVICE_ID_BYTES);
      const clientPublicKey = copyBytes(frame.payload, DEVICE_ID_BYTES, HELLO_BYTES);
      return {
        state: { name: 'AwaitPsk', deviceId, clientPublicKey },
        outputs: [{ kind: 'pskNeeded', deviceId }],
      };
    },
  },
  AwaitPsk: {
    psks({ deviceId, clientPublicKey }, { psks }, crypto) {
      const keyPair = crypto.generateKeyPair();
      const nonce = crypto.randomBytes(CHALLENGE_NONCE_BYTES);
      const transcript = { deviceId, clientPublicKey, serverPublicKey: keyPair.publicKey, nonce };
      const shared = agree(keyPair, clientPublicKey);
      if (shared instanceof UsmpError) return fail(shared);
      const deviceIsKnown = psks.length > 0;
      const challenge = encodeFrame(PacketType.CHALLENGE, SERVER_SEQ, concatBytes(nonce, keyPair.publicKey));
      return {
        state: {
          name: 'ExpectHelloAck',
          psks: deviceIsKnown ? psks : [new Secret(crypto.randomBytes(KEY_BYTES))],
          deviceIsKnown,
          transcript,
          keys: deriveSessionKeys(crypto, 'server', shared, transcript),
        },
        outputs: [{ kind: 'send', bytes: challenge }],
      };
    },
  },
  ExpectHelloAck: {
    HELLO_ACK({ psks, deviceIsKnown, transcript, keys }, { frame }, crypto) {
      const wrongLength = wrongPayloadLength(frame, HMAC_BYTES);
      if (wrongLength) return fail(wrongLength);
      const proven = psks.filter((psk) => crypto.equal(clientHmac(crypto, psk, transcript), frame.payload))[0];
      if (!proven || !deviceIsKnown) {
        return fail(
          deviceIsKnown
            ? new AuthError('AUTH_HMAC', 'the client does not know the PSK')
            : new AuthError('AUTH_UNKNOWN_DEVICE', 'there is no PSK for this device id'),
        );
      }
      const sessionId = crypto.randomBytes(SESSION_ID_BYTES);
      const proof = serverHmac(crypto, proven, transcript, sessionId);
      const sessionOk = encodeFrame(PacketType.SESSION_OK, SERVER_SEQ, concatBytes(sessionId, proof));
      return {
        state: { name: 'Established' },
        outputs: [
          { kind: 'send', bytes: sessionOk },
          { kind: 'established', session: { role: 'server', deviceId: transcript.deviceId, sessionId, keys } },
        ],
      };
    },
  },
  Established: {},
  Failed: {},
};

/** One step of a server's handshake. */
export const stepServerHandshake = makeStep<typeof SERVER_TRANSITIONS, ServerHandshakeState, ServerHandshakeInput>(
  handlers,
  interrupted,
);
