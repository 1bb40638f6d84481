import { PacketType, PUBLIC_KEY_BYTES, type CryptoProvider } from '../protocol/index.js';

/** For a simulated peer whose public key is a point of low order: the other side must not agree on a key with it. */
export const withLowOrderKey = (crypto: CryptoProvider): CryptoProvider => ({
  ...crypto,
  generateKeyPair() {
    const keyPair = crypto.generateKeyPair();
    return { publicKey: new Uint8Array(PUBLIC_KEY_BYTES), agree: (peerPublicKey) => keyPair.agree(peerPublicKey) };
  },
});

/** The inputs of the handshake's HMACs begin with a frame's prefix, and its type is the fourth byte (protocol.md section 3). */
const TYPE_AT = 3;

/** For a simulated peer whose own proof of the PSK is wrong, while it checks the other side's rightly. */
export function withWrongProof(crypto: CryptoProvider, role: 'client' | 'server'): CryptoProvider {
  const ownType = role === 'client' ? PacketType.HELLO_ACK : PacketType.SESSION_OK;
  return {
    ...crypto,
    hmacSha256(key, data) {
      const hmac = crypto.hmacSha256(key, data);
      if (data[TYPE_AT] === ownType) hmac[0]! ^= 1;
      return hmac;
    },
  };
}
