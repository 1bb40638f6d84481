import {
  AuthError,
  clientHmac,
  concatBytes,
  CHALLENGE_NONCE_BYTES,
  COOKIE_BYTES,
  DEVICE_ID_BYTES,
  deriveSessionKeys,
  encodeFrame,
  HandshakeError,
  HMAC_BYTES,
  PacketType,
  packetTypeName,
  PUBLIC_KEY_BYTES,
  serverHmac,
  SESSION_ID_BYTES,
  type DirectionKeys,
  type Frame,
  type HandshakeTranscript,
  type KeyPair,
  type Secret,
  type UsmpError,
} from '../protocol/index.js';
import type { DatagramHandshake, HandshakeLink } from './datagram-peer-link.js';

const { HELLO, CHALLENGE, HELLO_ACK, SESSION_OK, HELLO_RETRY } = PacketType;

/** A transcript, and the keys that follow from it. */
interface Agreement {
  readonly transcript: HandshakeTranscript;
  readonly keys: DirectionKeys;
}

/** The client's half of protocol.md section 3 on UDP. */
export class DatagramClientHandshake implements DatagramHandshake {
  readonly #link: HandshakeLink;
  readonly #deviceId: Uint8Array;
  readonly #psk: Secret;
  readonly #keyPair: KeyPair;
  #broughtCookie = false;
  #agreement: Agreement | undefined;
  #isOver = false;

  constructor(link: HandshakeLink, deviceId: Uint8Array, psk: Secret) {
    this.#link = link;
    this.#deviceId = deviceId;
    this.#psk = psk;
    this.#keyPair = link.crypto.generateKeyPair();
  }

  begin(): void {
    this.#sendHello(0);
  }

  take(frame: Frame): void {
    if (this.#isOver) return;
    if (isExpected(frame, HELLO_RETRY, COOKIE_BYTES) && !this.#broughtCookie && !this.#agreement) {
      this.#takeCookie(frame.payload);
    } else if (isExpected(frame, CHALLENGE, CHALLENGE_NONCE_BYTES + PUBLIC_KEY_BYTES) && !this.#agreement) {
      this.#takeChallenge(frame.payload);
    } else if (isExpected(frame, SESSION_OK, SESSION_ID_BYTES + HMAC_BYTES) && this.#agreement) {
      this.#takeSessionOk(frame.payload, this.#agreement);
    } else if (this.#link.behaviour.abortsOnRepeats) {
      const what = `${packetTypeName(frame.type)} out of turn`;
      this.#fail(new HandshakeError('HANDSHAKE_UNEXPECTED_FRAME', what));
    }
  }

  #takeCookie(cookie: Uint8Array): void {
    this.#broughtCookie = true;
    this.#link.answered(HELLO);
    this.#sendHello(1, cookie);
  }

  #takeChallenge(payload: Uint8Array): void {
    const { crypto } = this.#link;
    const transcript = {
      deviceId: this.#deviceId,
      clientPublicKey: this.#keyPair.publicKey,
      serverPublicKey: payload.slice(CHALLENGE_NONCE_BYTES),
      nonce: payload.slice(0, CHALLENGE_NONCE_BYTES),
    };
    try {
      const shared = this.#keyPair.agree(transcript.serverPublicKey);
      this.#agreement = { transcript, keys: deriveSessionKeys(crypto, 'client', shared, transcript) };
    } catch (error) {
      this.#fail(error as UsmpError);
      return;
    }
    this.#link.answered(HELLO);
    this.#link.deliver(encodeFrame(HELLO_ACK, 2, clientHmac(crypto, this.#psk, transcript)));
  }

  #takeSessionOk(payload: Uint8Array, { transcript, keys }: Agreement): void {
    const { crypto } = this.#link;
    const sessionId = payload.slice(0, SESSION_ID_BYTES);
    if (!crypto.equal(serverHmac(crypto, this.#psk, transcript, sessionId), payload.subarray(SESSION_ID_BYTES))) {
      this.#fail(new AuthError('AUTH_HMAC', 'the server does not know the PSK'));
      return;
    }
    this.#isOver = true;
    this.#link.answered(HELLO_ACK);
    this.#link.established({ role: 'client', deviceId: this.#deviceId, sessionId, keys });
  }

  #sendHello(seq: number, cookie: Uint8Array = new Uint8Array(0)): void {
    this.#link.deliver(encodeFrame(HELLO, seq, concatBytes(this.#deviceId, this.#keyPair.publicKey, cookie)));
  }

  #fail(error: UsmpError): void {
    this.#isOver = true;
    this.#link.failed(error);
  }
}

/** The server's half, from a HELLO that was acknowledged and whose address is proven. */
export class DatagramServerHandshake implements DatagramHandshake {
  readonly #link: HandshakeLink;
  readonly #hello: Frame;
  readonly #psk: Secret;
  #agreement: Agreement | undefined;

  constructor(link: HandshakeLink, hello: Frame, psk: Secret) {
    this.#link = link;
    this.#hello = hello;
    this.#psk = psk;
  }

  begin(): void {
    const { crypto } = this.#link;
    const keyPair = crypto.generateKeyPair();
    const { deviceId, clientPublicKey } = helloOf(this.#hello);
    const nonce = crypto.randomBytes(CHALLENGE_NONCE_BYTES);
    const transcript = { deviceId, clientPublicKey, serverPublicKey: keyPair.publicKey, nonce };
    try {
      const shared = keyPair.agree(clientPublicKey);
      this.#agreement = { transcript, keys: deriveSessionKeys(crypto, 'server', shared, transcript) };
    } catch (error) {
      this.#link.failed(error as UsmpError);
      return;
    }
    this.#link.deliver(encodeFrame(CHALLENGE, 0, concatBytes(nonce, keyPair.publicKey)));
  }

  take(frame: Frame): void {
    if (!isExpected(frame, HELLO_ACK, HMAC_BYTES) || !this.#agreement) return;
    const { crypto } = this.#link;
    const { transcript, keys } = this.#agreement;
    this.#agreement = undefined;
    if (!crypto.equal(clientHmac(crypto, this.#psk, transcript), frame.payload)) {
      this.#link.failed(new AuthError('AUTH_HMAC', 'the client does not know the PSK'));
      return;
    }
    const sessionId = crypto.randomBytes(SESSION_ID_BYTES);
    const proof = serverHmac(crypto, this.#psk, transcript, sessionId);
    this.#link.answered(CHALLENGE);
    const sessionOk = encodeFrame(SESSION_OK, 0, concatBytes(sessionId, proof));
    this.#link.established({ role: 'server', deviceId: transcript.deviceId, sessionId, keys }, sessionOk);
  }
}

/** The parts of a HELLO's payload, which is 38 bytes, or 54 with a cookie. */
export const helloOf = ({ payload }: Frame) => ({
  deviceId: payload.slice(0, DEVICE_ID_BYTES),
  clientPublicKey: payload.slice(DEVICE_ID_BYTES, DEVICE_ID_BYTES + PUBLIC_KEY_BYTES),
  cookie: payload.slice(DEVICE_ID_BYTES + PUBLIC_KEY_BYTES),
});

const isExpected = ({ type, payload }: Frame, expected: PacketType, payloadBytes: number): boolean =>
  type === expected && payload.length === payloadBytes;
