import { AuthenticationBackoff, type AuthenticationBackoffLimits } from './authentication-backoff.js';
import { AddressBuckets } from './address-buckets.js';
import { TokenBucket } from './token-bucket.js';

/** Why a peer was turned away before it could prove anything. */
export type RefusalReason =
  /** As many connections as may be are unauthenticated. */
  | 'unauthenticated-limit'
  /** As many of this address are. */
  | 'address-limit'
  /** There is no room for another session. */
  | 'session-limit'
  /** There were as many handshakes as may be in this second, or half as many of this address. */
  | 'rate-limit'
  /** This device id failed to authenticate from this address too often, and has to wait. */
  | 'slow-down';

export interface AdmissionLimits extends AuthenticationBackoffLimits {
  readonly maxSessions: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerAddress: number;
  readonly maxHandshakesPerSecond: number;
}

/** How many handshakes a second one address may begin. */
export const shareOfAddress = ({ maxHandshakesPerSecond }: AdmissionLimits): number =>
  Math.ceil(maxHandshakesPerSecond / 2);

/** What the limit on sessions depends on at the time of a HELLO. */
export interface SessionRoom {
  readonly sessions: number;
  /** A new session of this device takes the place of one that it has. */
  readonly replaces: boolean;
}

/**
 * Who may come in and try, and who may not. Holds a number for each address with unauthenticated connections, and bounded
 * tables of handshakes and failures; time is an argument.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #backoff: AuthenticationBackoff;
  readonly #handshakes: TokenBucket;
  /** Nobody takes more than half of what there is for all. */
  readonly #handshakesByAddress: AddressBuckets;
  readonly #inByAddress = new Map<string, number>();
  #in = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#backoff = new AuthenticationBackoff(limits);
    this.#handshakes = new TokenBucket(limits.maxHandshakesPerSecond);
    this.#handshakesByAddress = new AddressBuckets(shareOfAddress(limits));
  }

  /** A connection of this address came: lets it in, until its visit is left, or says why not. */
  enter(address: string): Visit | RefusalReason {
    const ofAddress = this.#inByAddress.get(address) ?? 0;
    if (this.#in >= this.#limits.maxUnauthenticated) return 'unauthenticated-limit';
    if (ofAddress >= this.#limits.maxUnauthenticatedPerAddress) return 'address-limit';
    this.#in++;
    this.#inByAddress.set(address, ofAddress + 1);
    return new Visit(this, address);
  }

  /** For `Visit`. The tokens come last: who is refused for another reason takes none. */
  refusal(
    address: string,
    pair: string,
    { sessions, replaces }: SessionRoom,
    nowMs: number,
  ): RefusalReason | undefined {
    if (this.#backoff.barredForMs(pair, nowMs) > 0) return 'slow-down';
    if (!replaces && sessions >= this.#limits.maxSessions) return 'session-limit';
    const isInTime = this.#handshakesByAddress.take(address, nowMs) && this.#handshakes.take(nowMs);
    return isInTime ? undefined : 'rate-limit';
  }

  /** For `Visit`. */
  succeeded(pair: string): void {
    this.#backoff.succeeded(pair);
  }

  /** For `Visit`. */
  failed(pair: string, nowMs: number): void {
    this.#backoff.failed(pair, nowMs);
  }

  /** For `Visit`. */
  leave(address: string): void {
    this.#in--;
    const ofAddress = (this.#inByAddress.get(address) ?? 0) - 1;
    if (ofAddress > 0) this.#inByAddress.set(address, ofAddress);
    else this.#inByAddress.delete(address);
  }
}

/** One unauthenticated connection that was let in. */
export class Visit {
  readonly #admission: Admission;
  readonly #address: string;
  #pair: string | undefined;
  #left = false;

  constructor(admission: Admission, address: string) {
    this.#admission = admission;
    this.#address = address;
  }

  /** Its HELLO came, at most once: may the handshake go on? */
  hello(deviceId: string, room: SessionRoom, nowMs: number): RefusalReason | undefined {
    this.#pair = `${this.#address} ${deviceId}`;
    return this.#admission.refusal(this.#address, this.#pair, room, nowMs);
  }

  /** It proved that it knows the PSK. */
  authenticated(): void {
    if (this.#pair !== undefined) this.#admission.succeeded(this.#pair);
  }

  /** It did not. */
  failed(nowMs: number): void {
    if (this.#pair !== undefined) this.#admission.failed(this.#pair, nowMs);
  }

  /** It is a session, or closed. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#admission.leave(this.#address);
  }
}
