import { checkDurationMs, checkInteger } from '../protocol/check-option.js';
import { ConfigError } from '../protocol/errors.js';
import type { InboxLimits } from './inbox.js';

export interface OutboxLimits {
  /** Bytes of messages that wait, unsealed, for a peer that reads slowly; the default is 1 MiB. */
  readonly maxOutboxBytes?: number;
  /**
   * How long the peer of a byte stream may leave what was written unread before the session ends; the default is 30 s. On UDP
   * a frame that is not acknowledged after five attempts ends it.
   */
  readonly sendTimeoutMs?: number;
}

/** When fresh keys are made without being asked for. */
export interface RekeyPolicy {
  /**
   * After this many frames in either direction, 2 to 2^31; the default, and the most, is 2^31. REKEY is paced as PING is, so it
   * comes at most about every 2 s.
   */
  readonly everyFrames?: number;
  /** After this many milliseconds; the default is never. */
  readonly everyMs?: number;
}

/** Limits of a session that client and server offer as options. */
export interface SessionLimitOptions extends InboxLimits, OutboxLimits {
  /** The session ends with TimeoutError `TIMEOUT_IDLE` when no authentic frame came for this long. */
  readonly idleTimeoutMs?: number;
  /** How long `bye` may take to get rid of what is to be sent; the default is 5 s. */
  readonly closeTimeoutMs?: number;
  readonly rekey?: RekeyPolicy;
}

/** The same with the defaults filled in. */
export interface SessionLimits extends Required<InboxLimits>, Required<OutboxLimits> {
  readonly idleTimeoutMs: number;
  readonly closeTimeoutMs: number;
  /** PING goes out when nothing was sent, or nothing heard, for this long; undefined: never. */
  readonly keepaliveMs: number | undefined;
  readonly rekey: RekeyPolicy & { readonly everyFrames: number };
}

/** Far below 2^32 - 1, where sequence numbers end. */
const MAX_FRAMES_PER_KEY = 2 ** 31;

/**
 * Fills defaults in.
 * @throws ConfigError `CONFIG_OPTION` that names the option
 */
export function sessionLimits(
  options: SessionLimitOptions,
  defaults: { readonly idleTimeoutMs: number; readonly keepaliveMs: number | undefined },
): SessionLimits {
  const { rekey = {} } = options;
  const idleTimeoutMs = checkDurationMs('idleTimeoutMs', options.idleTimeoutMs ?? defaults.idleTimeoutMs, 1);
  const { keepaliveMs } = defaults;
  if (keepaliveMs !== undefined && checkDurationMs('keepaliveMs', keepaliveMs, 1) >= idleTimeoutMs) {
    throw new ConfigError(
      'CONFIG_OPTION',
      `keepaliveMs: ${keepaliveMs} is not less than idleTimeoutMs ${idleTimeoutMs}, so a silent session would always end`,
    );
  }
  return {
    idleTimeoutMs,
    keepaliveMs,
    closeTimeoutMs: checkDurationMs('closeTimeoutMs', options.closeTimeoutMs ?? 5_000),
    maxInboxMessages: checkInteger('maxInboxMessages', options.maxInboxMessages ?? 1024, 1),
    maxInboxBytes: checkInteger('maxInboxBytes', options.maxInboxBytes ?? 1024 * 1024, 1),
    maxOutboxBytes: checkInteger('maxOutboxBytes', options.maxOutboxBytes ?? 1024 * 1024, 0),
    sendTimeoutMs: checkDurationMs('sendTimeoutMs', options.sendTimeoutMs ?? 30_000, 1),
    rekey: {
      everyFrames: checkInteger('rekey.everyFrames', rekey.everyFrames ?? MAX_FRAMES_PER_KEY, 2, MAX_FRAMES_PER_KEY),
      ...(rekey.everyMs !== undefined && { everyMs: checkDurationMs('rekey.everyMs', rekey.everyMs, 1) }),
    },
  };
}
