import {
  CONTROL_FRAME_BYTES,
  decodeFrame,
  FrameDecoder,
  FrameOpener,
  FrameSealer,
  REKEY_FRAME_BYTES,
  Secret,
  SecureChannel,
  type ControlType,
  sealedFrameBytes,
  sealedMessageBytes,
  type CipherSuite,
  type CryptoProvider,
  type DirectionKeys,
  type EstablishedSession,
  type Frame,
  type ReceivedFrame,
  type SealedType,
} from '../../src/protocol/index.js';
import { anyCrypto } from './providers.js';

export type Role = 'client' | 'server';

/** `length` bytes without a regularity, other ones for each `seed`. */
export function pattern(length: number, seed: number): Uint8Array {
  let state = Math.imul(seed + 1, 0x9e37_79b9);
  return Uint8Array.from({ length }, () => {
    // Marsaglia's xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 24;
  });
}

export const DEVICE_ID = Uint8Array.of(0x00, 0x11, 0x22, 0x33, 0x44, 0x55);
export const SESSION_ID = pattern(16, 1);
export const CLIENT_TO_SERVER_KEY = pattern(32, 2);
export const SERVER_TO_CLIENT_KEY = pattern(32, 3);

/** What a handshake with these keys would have come to; every call gives keys of its own, since a channel wipes them. */
export function establishedAs(role: Role): EstablishedSession {
  const clientToServer = new Secret(CLIENT_TO_SERVER_KEY);
  const serverToClient = new Secret(SERVER_TO_CLIENT_KEY);
  const keys: DirectionKeys =
    role === 'client'
      ? { sending: clientToServer, receiving: serverToClient }
      : { sending: serverToClient, receiving: clientToServer };
  return { role, deviceId: DEVICE_ID, sessionId: SESSION_ID, keys };
}

/** Both ends of one session. */
export const channelPair = (
  crypto: CryptoProvider = anyCrypto,
  suite: CipherSuite = 'aes-256-gcm',
): Readonly<Record<Role, SecureChannel>> => ({
  client: new SecureChannel(crypto, suite, establishedAs('client')),
  server: new SecureChannel(crypto, suite, establishedAs('server')),
});

/** Seals as the client of `channelPair` would, with any type and any plaintext. */
export const clientSealer = (firstSeq = 0, suite: CipherSuite = 'aes-256-gcm', crypto = anyCrypto): FrameSealer =>
  new FrameSealer(crypto.aead(suite, CLIENT_TO_SERVER_KEY), SESSION_ID, firstSeq);

/** Opens what `clientSealer` sealed. */
export const serverOpener = (firstSeq = 0, suite: CipherSuite = 'aes-256-gcm', crypto = anyCrypto): FrameOpener =>
  new FrameOpener(crypto.aead(suite, CLIENT_TO_SERVER_KEY), SESSION_ID, firstSeq);

export function sealWith(sealer: FrameSealer, type: SealedType, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(sealedFrameBytes(plaintext.length));
  sealer.seal(type, plaintext, out, 0);
  return out;
}

export function sealMessage(channel: SecureChannel, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(sealedMessageBytes(message.length));
  channel.stageMessage(message, out, 0);
  channel.sealStaged(out);
  return out;
}

export function sealControl(channel: SecureChannel, type: ControlType): Uint8Array {
  const out = new Uint8Array(CONTROL_FRAME_BYTES);
  channel.stageControl(type, out, 0);
  channel.sealStaged(out);
  return out;
}

export function sealRekey(channel: SecureChannel): Uint8Array {
  const out = new Uint8Array(REKEY_FRAME_BYTES);
  channel.stageRekey(out, 0);
  channel.sealStaged(out);
  return out;
}

/** Opens one whole frame that is not ERROR. */
export function open(channel: SecureChannel, bytes: Uint8Array): ReceivedFrame {
  const received = channel.open(decodeFrame(bytes));
  if (!received) throw new Error('ERROR was opened');
  return received;
}

/** Cuts bytes that are nothing but whole frames. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  return frames;
}
