import type { CryptoProvider } from '../protocol/crypto-provider.js';
import { encodeAcknowledgement } from '../protocol/datagram/acknowledgement.js';
import { CookieMint, type CookieBinding } from '../protocol/datagram/cookie.js';
import { encodeFrame, type Frame } from '../protocol/frame.js';
import { PacketType } from '../protocol/packet-type.js';
import { COOKIE_BYTES, DEVICE_ID_BYTES, PUBLIC_KEY_BYTES } from '../protocol/sizes.js';
import { formatPeerAddress, type PeerAddress } from '../transport/datagram.js';
import { AddressBuckets } from './address-buckets.js';
import { networkOf } from './network-of.js';

/** What a HELLO comes to. */
export type HelloVerdict =
  /** It came without a cookie: the answers, 35 bytes for the 50 that came. Nothing is kept. */
  | { readonly verdict: 'challenged'; readonly replies: readonly Uint8Array[] }
  /** The sender receives datagrams at its address. */
  | { readonly verdict: 'proven' }
  | { readonly verdict: 'ignored'; readonly reason: 'malformed' | 'cookie' | 'rate-limit' };

const HELLO_BYTES = DEVICE_ID_BYTES + PUBLIC_KEY_BYTES;
const HELLO_RETRY_SEQ = 0;

/**
 * Keeps out who does not receive at the address that its datagrams give (protocol.md section 7): such a sender could have us
 * work, or send more than it does itself, to somebody else.
 */
export class CookieGate {
  readonly #mint: CookieMint;
  readonly #retries: AddressBuckets;

  /** @param retriesPerSecond HELLO_RETRYs that one address (of IPv6: one /64) gets in a second */
  constructor(crypto: CryptoProvider, retriesPerSecond: number) {
    this.#mint = new CookieMint(crypto);
    this.#retries = new AddressBuckets(retriesPerSecond);
  }

  judge({ payload, seq }: Frame, from: PeerAddress, nowMs: number): HelloVerdict {
    if (payload.length !== HELLO_BYTES && payload.length !== HELLO_BYTES + COOKIE_BYTES) {
      return { verdict: 'ignored', reason: 'malformed' };
    }
    const binding: CookieBinding = {
      ...from,
      deviceId: payload.subarray(0, DEVICE_ID_BYTES),
      clientPublicKey: payload.subarray(DEVICE_ID_BYTES, HELLO_BYTES),
    };
    if (payload.length > HELLO_BYTES) {
      const isProven = this.#mint.accepts(payload.subarray(HELLO_BYTES), binding, nowMs);
      return isProven ? { verdict: 'proven' } : { verdict: 'ignored', reason: 'cookie' };
    }
    if (!this.#retries.take(networkOf(formatPeerAddress(from)), nowMs))
      return { verdict: 'ignored', reason: 'rate-limit' };
    const retry = encodeFrame(PacketType.HELLO_RETRY, HELLO_RETRY_SEQ, this.#mint.mint(binding, nowMs));
    return { verdict: 'challenged', replies: [encodeAcknowledgement(PacketType.HELLO, seq), retry] };
  }
}
