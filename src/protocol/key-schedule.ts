import { concatBytes, utf8 } from './bytes.js';
import type { CryptoProvider } from './crypto-provider.js';
import { framePrefix } from './frame.js';
import { PacketType } from './packet-type.js';
import { Secret } from './secret.js';
import { KEY_BYTES } from './sizes.js';

/** One AEAD key for each direction, 32 bytes each. */
export interface DirectionKeys {
  readonly sending: Secret;
  readonly receiving: Secret;
}

/** What both sides have seen of each other when CHALLENGE has arrived. */
export interface HandshakeTranscript {
  readonly deviceId: Uint8Array;
  /** pub_C */
  readonly clientPublicKey: Uint8Array;
  /** pub_S */
  readonly serverPublicKey: Uint8Array;
  /** The server's 32 random bytes. */
  readonly nonce: Uint8Array;
}

/** Protocol.md section 3, step 3; the first 32 bytes are the client-to-server key. `shared` is wiped. */
export function deriveSessionKeys(
  crypto: CryptoProvider,
  role: 'client' | 'server',
  shared: Uint8Array,
  { nonce, clientPublicKey, serverPublicKey }: HandshakeTranscript,
): DirectionKeys {
  const info = concatBytes(utf8('usmp-v2'), clientPublicKey, serverPublicKey);
  const [clientToServer, serverToClient] = splitKeys(crypto.hkdfSha256(shared, nonce, info, 2 * KEY_BYTES));
  shared.fill(0);
  return role === 'client'
    ? { sending: clientToServer, receiving: serverToClient }
    : { sending: serverToClient, receiving: clientToServer };
}

/**
 * Protocol.md section 6, REKEY: the keys after it as the initiator sees them, from the keys before it as the initiator
 * saw them.
 */
export function deriveRekeyedKeys(
  crypto: CryptoProvider,
  initiator: DirectionKeys,
  salt: Uint8Array,
  sessionId: Uint8Array,
): DirectionKeys {
  const ikm = concatBytes(initiator.sending.expose(), initiator.receiving.expose());
  const info = concatBytes(utf8('usmp-rekey'), sessionId);
  const [sending, receiving] = splitKeys(crypto.hkdfSha256(ikm, salt, info, 2 * KEY_BYTES));
  ikm.fill(0);
  return { sending, receiving };
}

/** The same keys as the other side sees them. */
export const swapDirections = ({ sending, receiving }: DirectionKeys): DirectionKeys => ({
  sending: receiving,
  receiving: sending,
});

export function wipeKeys(keys: DirectionKeys): void {
  keys.sending.wipe();
  keys.receiving.wipe();
}

function splitKeys(okm: Uint8Array): [Secret, Secret] {
  const pair: [Secret, Secret] = [new Secret(okm.subarray(0, KEY_BYTES)), new Secret(okm.subarray(KEY_BYTES))];
  okm.fill(0);
  return pair;
}

/** Protocol.md section 3, step 4. The packet type in front keeps a client from being reflected onto itself. */
export function clientHmac(crypto: CryptoProvider, psk: Secret, transcript: HandshakeTranscript): Uint8Array {
  const { nonce, deviceId, clientPublicKey, serverPublicKey } = transcript;
  return crypto.hmacSha256(
    psk.expose(),
    concatBytes(framePrefix(PacketType.HELLO_ACK), nonce, deviceId, clientPublicKey, serverPublicKey),
  );
}

/** Protocol.md section 3, step 5. */
export function serverHmac(
  crypto: CryptoProvider,
  psk: Secret,
  { nonce, clientPublicKey, serverPublicKey }: HandshakeTranscript,
  sessionId: Uint8Array,
): Uint8Array {
  return crypto.hmacSha256(
    psk.expose(),
    concatBytes(framePrefix(PacketType.SESSION_OK), nonce, sessionId, clientPublicKey, serverPublicKey),
  );
}
