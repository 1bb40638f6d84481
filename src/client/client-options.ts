import type { SchedulerLike } from 'rxjs';
import { checkChoice, checkDurationMs, checkOptions } from '../protocol/check-option.js';
import type { CipherSuite, CryptoProvider } from '../protocol/crypto-provider.js';
import { parseDeviceId } from '../protocol/device-id.js';
import { ConfigError } from '../protocol/errors.js';
import { parsePsk, type PskInput } from '../protocol/psk.js';
import type { Secret } from '../protocol/secret.js';
import { Backoff, type BackoffOptions } from '../session/backoff.js';
import { defaultScheduler } from '../session/default-scheduler.js';
import { sessionLimits, type SessionLimitOptions, type SessionLimits } from '../session/session-limits.js';
import type { AnyDialer } from '../transport/any.js';

export interface ClientOptions extends SessionLimitOptions {
  /** How the server is reached. */
  readonly transport: AnyDialer;
  /** 6 bytes, or text like `00:11:22:33:44:55`. */
  readonly deviceId: string | Uint8Array;
  /** At least 16 bytes; a text means its UTF-8 bytes. */
  readonly psk: PskInput;
  /** The server needs the same; the default is `aes-256-gcm`. */
  readonly suite?: CipherSuite;
  readonly crypto?: CryptoProvider;
  readonly scheduler?: SchedulerLike;
  /** The default is 10 s. */
  readonly connectTimeoutMs?: number;
  /** The default is 10 s. */
  readonly handshakeTimeoutMs?: number;
  /**
   * PING goes out when nothing was sent, or nothing heard, for this long; the default is 15 s. The default of `idleTimeoutMs`,
   * after which a silent peer counts as dead, is three times that.
   */
  readonly keepaliveMs?: number;
  readonly backoff?: BackoffOptions;
}

/** Checked options with the defaults filled in. */
export interface ClientSettings {
  readonly dialer: AnyDialer;
  readonly deviceId: Uint8Array;
  readonly psk: Secret;
  readonly suite: CipherSuite;
  readonly crypto: CryptoProvider;
  readonly scheduler: SchedulerLike;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly limits: SessionLimits;
  readonly backoff: Backoff;
}

/** Of the back-off. */
const MAX_DELAY_MS = 30_000;

/** @throws ConfigError that names the option */
export function clientSettings(options: ClientOptions, defaultCrypto: CryptoProvider): ClientSettings {
  checkOptions('options', options);
  if (typeof (options.transport as Partial<AnyDialer> | undefined)?.dial !== 'function') {
    throw new ConfigError('CONFIG_OPTION', 'transport: expected a dialer, for example tcpDialer({ host, port })');
  }
  const crypto = options.crypto ?? defaultCrypto;
  const keepaliveMs = checkDurationMs('keepaliveMs', options.keepaliveMs ?? 15_000, 1);
  return {
    dialer: options.transport,
    deviceId: parseDeviceId(options.deviceId),
    psk: parsePsk(options.psk),
    suite: checkChoice('suite', options.suite ?? 'aes-256-gcm', ['aes-256-gcm', 'chacha20-poly1305']),
    crypto,
    scheduler: options.scheduler ?? defaultScheduler,
    connectTimeoutMs: checkDurationMs('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, 1),
    handshakeTimeoutMs: checkDurationMs('handshakeTimeoutMs', options.handshakeTimeoutMs ?? 10_000, 1),
    limits: sessionLimits(options, { keepaliveMs, idleTimeoutMs: 3 * keepaliveMs }),
    backoff: new Backoff(randomFraction(crypto), MAX_DELAY_MS, options.backoff),
  };
}

/** From 0 to below 1. */
const randomFraction = (crypto: CryptoProvider) => (): number =>
  new DataView(Uint8Array.from(crypto.randomBytes(4)).buffer).getUint32(0) / 2 ** 32;
