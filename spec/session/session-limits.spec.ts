import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/protocol/index.js';
import { sessionLimits } from '../../src/session/session-limits.js';

const DEFAULTS = { idleTimeoutMs: 60_000, keepaliveMs: 15_000 };

describe('the limits of a session', () => {
  it('have defaults', () => {
    expect(sessionLimits({}, DEFAULTS)).toEqual({
      idleTimeoutMs: 60_000,
      closeTimeoutMs: 5_000,
      keepaliveMs: 15_000,
      maxInboxMessages: 1_024,
      maxInboxBytes: 2 ** 20,
      maxOutboxBytes: 2 ** 20,
      sendTimeoutMs: 30_000,
      rekey: { everyFrames: 2 ** 31 },
    });
  });

  it('are kept where they are given', () => {
    const given = {
      idleTimeoutMs: 2,
      closeTimeoutMs: 0,
      maxInboxMessages: 1,
      maxInboxBytes: 1,
      maxOutboxBytes: 0,
      sendTimeoutMs: 1,
      rekey: { everyFrames: 2, everyMs: 1 },
    };

    expect(sessionLimits(given, { idleTimeoutMs: 60_000, keepaliveMs: 1 })).toEqual({
      ...given,
      keepaliveMs: 1,
    });
  });

  it.each<[string, object]>([
    ['idleTimeoutMs', { idleTimeoutMs: 0 }],
    ['idleTimeoutMs', { idleTimeoutMs: Number.POSITIVE_INFINITY }],
    ['idleTimeoutMs', { idleTimeoutMs: '60 s' }],
    ['closeTimeoutMs', { closeTimeoutMs: -1 }],
    ['maxInboxMessages', { maxInboxMessages: 0 }],
    ['maxInboxMessages', { maxInboxMessages: 1.5 }],
    ['maxInboxBytes', { maxInboxBytes: 0 }],
    ['maxOutboxBytes', { maxOutboxBytes: -1 }],
    ['sendTimeoutMs', { sendTimeoutMs: 0 }],
    ['rekey.everyFrames', { rekey: { everyFrames: 1 } }],
    ['rekey.everyFrames', { rekey: { everyFrames: 2 ** 31 + 1 } }],
    ['rekey.everyMs', { rekey: { everyMs: Number.NaN } }],
  ])('name %s where %j cannot work', (option, given) => {
    const limits = (): unknown => sessionLimits(given, DEFAULTS);

    expect(limits).toThrow(ConfigError);
    expect(limits).toThrow(option);
  });

  it.each([0, -1, 60_000, 2 ** 31])('name keepaliveMs where %p cannot work', (keepaliveMs) => {
    const limits = (): unknown => sessionLimits({}, { idleTimeoutMs: 60_000, keepaliveMs });

    expect(limits).toThrow(ConfigError);
    expect(limits).toThrow('keepaliveMs');
  });
});
