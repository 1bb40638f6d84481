import { concatBytes, utf8, writeUint32 } from '../bytes.js';
import type { CryptoProvider } from '../crypto-provider.js';
import { Secret } from '../secret.js';
import { COOKIE_BYTES } from '../sizes.js';

const BUCKET_MS = 30_000;
const SECRET_BYTES = 32;

/** What a cookie is good for, and for nothing else. */
export interface CookieBinding {
  /** The IP address as text. */
  readonly address: string;
  readonly port: number;
  /** 6 bytes. */
  readonly deviceId: Uint8Array;
  /** pub_C, 32 bytes. */
  readonly clientPublicKey: Uint8Array;
}

/** A span of 30 s and the secret of the cookies that were minted in it. */
interface Bucket {
  readonly number: number;
  readonly secret: Secret;
}

/**
 * Stateless cookies (protocol.md section 7): who brings one back has received it at its address. Nothing is kept but the
 * secrets of two buckets of 30 s.
 */
export class CookieMint {
  readonly #crypto: CryptoProvider;
  #current: Bucket | undefined;
  #previous: Bucket | undefined;

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  /** 16 bytes; the same ones for the same binding within a bucket. */
  mint(binding: CookieBinding, nowMs: number): Uint8Array {
    return this.#cookie(this.#bucketAt(nowMs), binding);
  }

  /** Whether the cookie was minted for this binding, in the present bucket or the one before. Compares in constant time. */
  accepts(cookie: Uint8Array, binding: CookieBinding, nowMs: number): boolean {
    const current = this.#bucketAt(nowMs);
    const previous = this.#previous;
    if (this.#crypto.equal(cookie, this.#cookie(current, binding))) return true;
    // Where no cookie was asked for in between, the last bucket with a secret may lie further back.
    if (!previous || previous.number < current.number - 1) return false;
    return this.#crypto.equal(cookie, this.#cookie(previous, binding));
  }

  /** A clock that was set back starts a new bucket like one that went on. */
  #bucketAt(nowMs: number): Bucket {
    const number = Math.floor(nowMs / BUCKET_MS);
    if (this.#current?.number === number) return this.#current;
    this.#previous?.secret.wipe();
    this.#previous = this.#current;
    this.#current = { number, secret: new Secret(this.#crypto.randomBytes(SECRET_BYTES)) };
    return this.#current;
  }

  #cookie({ secret }: Bucket, binding: CookieBinding): Uint8Array {
    return this.#crypto.hmacSha256(secret.expose(), encodeBinding(binding)).subarray(0, COOKIE_BYTES);
  }
}

/** Each part with its length before it, so that no two bindings encode alike. */
function encodeBinding({ address, port, deviceId, clientPublicKey }: CookieBinding): Uint8Array {
  const parts = [utf8(address), uint32(port), deviceId, clientPublicKey];
  return concatBytes(...parts.flatMap((part) => [uint32(part.length), part]));
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}
