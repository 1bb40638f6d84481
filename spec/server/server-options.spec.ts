import { describe, expect, it } from '@jest/globals';
import { serverSettings, type ServerOptions } from '../../src/server/server-options.js';
import { UsmpServer } from '../../src/server/server.js';
import { PSK } from './bench.js';

describe('the options of a server', () => {
  it('have safe defaults', () => {
    expect(serverSettings({ psk: PSK })).toMatchObject({
      suite: 'aes-256-gcm',
      crypto: { name: 'node-fast' },
      handshakeTimeoutMs: 10_000,
      sessionPolicy: 'replace',
      limits: { idleTimeoutMs: 60_000, closeTimeoutMs: 5_000, sendTimeoutMs: 30_000, keepaliveMs: undefined },
      admission: {
        maxSessions: 10_000,
        maxUnauthenticated: 1_000,
        maxUnauthenticatedPerAddress: 50,
        maxHandshakesPerSecond: 500,
        freeAuthenticationFailures: 5,
        maxAuthenticationDelayMs: 60_000,
      },
    });
  });

  it.each<[keyof ServerOptions, unknown]>([
    ['suite', 'aes-128-gcm'],
    ['crypto', {}],
    ['crypto', 'node'],
    ['scheduler', { now: () => 0 }],
    ['handshakeTimeoutMs', 0],
    ['handshakeTimeoutMs', '10s'],
    ['sessionPolicy', 'newest'],
    ['maxSessions', 0],
    ['maxSessions', Number.POSITIVE_INFINITY],
    ['maxUnauthenticated', -1],
    ['maxUnauthenticatedPerAddress', 1.5],
    ['maxHandshakesPerSecond', 0],
    ['freeAuthenticationFailures', -1],
    ['maxAuthenticationDelayMs', Number.NaN],
    ['idleTimeoutMs', -1],
    ['closeTimeoutMs', 2 ** 40],
    ['sendTimeoutMs', 0],
    ['maxInboxMessages', 0],
    ['maxInboxBytes', 0.5],
    ['maxOutboxBytes', -1],
    ['rekey', { everyFrames: 0 }],
  ])('are checked at construction: %s %p', (name, value) => {
    const construct = (): UsmpServer => new UsmpServer({ psk: PSK, [name]: value });

    expect(construct).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        code: 'CONFIG_OPTION',
        message: expect.stringMatching(new RegExp(`^${name}\\b`)),
      }),
    );
  });
});
