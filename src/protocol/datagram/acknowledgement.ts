import { concatBytes, writeUint32 } from '../bytes.js';
import type { CryptoProvider } from '../crypto-provider.js';
import { isPacketType, isSealedType, PacketType, type SealedType } from '../packet-type.js';

const MAGIC = 0xac;
const PLAIN_BYTES = 7;
const MAC_BYTES = 8;
const SEALED_BYTES = PLAIN_BYTES + MAC_BYTES;

/** A UTACK (protocol.md section 7): type and seq are those of the frame that it acknowledges. */
export interface Acknowledgement {
  readonly type: PacketType;
  readonly seq: number;
  /** 8 bytes; absent for a handshake frame. */
  readonly mac: Uint8Array | undefined;
}

/** Whether a datagram is no frame but an acknowledgement, if perhaps a malformed one: a frame starts with CD AB. */
export const isAcknowledgement = (datagram: Uint8Array): boolean => datagram[0] === MAGIC && datagram[1] === MAGIC;

/** The acknowledgement of a handshake frame, 7 bytes. */
export function encodeAcknowledgement(type: PacketType, seq: number): Uint8Array {
  const out = new Uint8Array(PLAIN_BYTES);
  out[0] = MAGIC;
  out[1] = MAGIC;
  out[2] = type;
  writeUint32(out, 3, seq);
  return out;
}

/** The acknowledgement of a sealed frame, 15 bytes; `key` is the one that the frame was sealed with. */
export function sealAcknowledgement(
  crypto: CryptoProvider,
  key: Uint8Array,
  type: SealedType,
  seq: number,
): Uint8Array {
  const plain = encodeAcknowledgement(type, seq);
  return concatBytes(plain, macOf(crypto, key, plain));
}

/** Undefined where the datagram is no well-formed acknowledgement. Of a sealed frame it is not yet authentic. */
export function decodeAcknowledgement(datagram: Uint8Array): Acknowledgement | undefined {
  const type = datagram[2];
  if (!isAcknowledgement(datagram) || type === undefined) return undefined;
  if (!isPacketType(type) || type === PacketType.ERROR) return undefined;
  const isSealed = isSealedType(type);
  if (datagram.length !== (isSealed ? SEALED_BYTES : PLAIN_BYTES)) return undefined;
  const seq = new DataView(datagram.buffer, datagram.byteOffset).getUint32(3, true);
  return { type, seq, mac: isSealed ? datagram.subarray(PLAIN_BYTES) : undefined };
}

/**
 * Whether it comes from somebody who knows `key`, the one that the acknowledged frame was sealed with. In constant time; false
 * for the acknowledgement of a handshake frame, which proves nothing.
 */
export function isAuthenticAcknowledgement(
  crypto: CryptoProvider,
  key: Uint8Array,
  { type, seq, mac }: Acknowledgement,
): boolean {
  return mac !== undefined && crypto.equal(mac, macOf(crypto, key, encodeAcknowledgement(type, seq)));
}

const macOf = (crypto: CryptoProvider, key: Uint8Array, plain: Uint8Array): Uint8Array =>
  crypto.hmacSha256(key, plain).subarray(0, MAC_BYTES);
