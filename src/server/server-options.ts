import type { SchedulerLike } from 'rxjs';
import { fastNodeCrypto } from '../crypto/fast-node.js';
import { checkChoice, checkDurationMs, checkInteger } from '../protocol/check-option.js';
import type { CipherSuite, CryptoProvider } from '../protocol/crypto-provider.js';
import { ConfigError } from '../protocol/errors.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import { sessionLimits, type SessionLimitOptions, type SessionLimits } from '../session/session-limits.js';
import type { AdmissionLimits } from './admission.js';
import type { PskOption } from './psk-source.js';

/** What becomes of a device that authenticates while it has a session. */
export type SessionPolicy =
  /** The old session gets BYE. */
  | 'replace'
  /** The new one gets BYE. */
  | 'reject'
  /** Both live. */
  | 'allow';

export interface ServerOptions extends SessionLimitOptions {
  /** Who may come: one PSK for all, a table by device id, a function, or a store. */
  readonly psk: PskOption;
  /** The devices need the same; the default is `aes-256-gcm`. */
  readonly suite?: CipherSuite;
  /** The default is `fastNodeCrypto`; `nodeCrypto` is the plain one of node:crypto alone. */
  readonly crypto?: CryptoProvider;
  /** Where time passes; the default is real time. */
  readonly scheduler?: SchedulerLike;
  /** From the connection to the session; the default is 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** The default is `replace`. */
  readonly sessionPolicy?: SessionPolicy;
  /** Open sessions at most; the default is 10,000. A device that replaces its own session is let in all the same. */
  readonly maxSessions?: number;
  /** Connections without a session at most; the default is 1,000. */
  readonly maxUnauthenticated?: number;
  /** The same for one address (of IPv6: one /64); the default is 50. */
  readonly maxUnauthenticatedPerAddress?: number;
  /** Handshakes that get an answer to their HELLO in a second, half of them from one address; the default is 500. */
  readonly maxHandshakesPerSecond?: number;
  /**
   * So many times a device id may fail to authenticate from one address without a consequence; the default is 5. Each time
   * more keeps this pair out for 1 s, 2 s, 4 s … A success forgives all.
   */
  readonly freeAuthenticationFailures?: number;
  /** The longest time a pair is kept out; the default is 60 s, and 0 keeps nobody out. */
  readonly maxAuthenticationDelayMs?: number;
}

/** The options of a server, checked and complete, without the PSKs. */
export interface ServerSettings {
  readonly suite: CipherSuite;
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly handshakeTimeoutMs: number;
  readonly sessionPolicy: SessionPolicy;
  readonly limits: SessionLimits;
  readonly admission: AdmissionLimits;
}

/** @throws ConfigError `CONFIG_OPTION` that names the option */
export function serverSettings(options: ServerOptions): ServerSettings {
  return {
    suite: checkChoice('suite', options.suite ?? 'aes-256-gcm', ['aes-256-gcm', 'chacha20-poly1305']),
    crypto: checkMethods('crypto', options.crypto ?? fastNodeCrypto, ['generateKeyPair', 'hmacSha256', 'aead']),
    scheduler: checkMethods('scheduler', options.scheduler ?? defaultScheduler, ['now', 'schedule']),
    handshakeTimeoutMs: checkDurationMs('handshakeTimeoutMs', options.handshakeTimeoutMs ?? 10_000, 1),
    sessionPolicy: checkChoice('sessionPolicy', options.sessionPolicy ?? 'replace', ['replace', 'reject', 'allow']),
    limits: sessionLimits(options, { idleTimeoutMs: 60_000, keepaliveMs: undefined }),
    admission: {
      maxSessions: checkInteger('maxSessions', options.maxSessions ?? 10_000, 1),
      maxUnauthenticated: checkInteger('maxUnauthenticated', options.maxUnauthenticated ?? 1_000, 1),
      maxUnauthenticatedPerAddress: checkInteger(
        'maxUnauthenticatedPerAddress',
        options.maxUnauthenticatedPerAddress ?? 50,
        1,
      ),
      maxHandshakesPerSecond: checkInteger('maxHandshakesPerSecond', options.maxHandshakesPerSecond ?? 500, 1),
      freeAuthenticationFailures: checkInteger(
        'freeAuthenticationFailures',
        options.freeAuthenticationFailures ?? 5,
        0,
      ),
      maxAuthenticationDelayMs: checkDurationMs('maxAuthenticationDelayMs', options.maxAuthenticationDelayMs ?? 60_000),
    },
  };
}

function checkMethods<T extends object>(name: string, value: T, methods: readonly (keyof T & string)[]): T {
  if (methods.every((method) => typeof (value as Partial<T> | null)?.[method] === 'function')) return value;
  throw new ConfigError('CONFIG_OPTION', `${name}: expected an object with ${methods.join(', ')}, got ${typeof value}`);
}
