import { afterEach, describe, expect, it } from '@jest/globals';
import type { BridgeOptions } from '../../../src/bridge/client/index.js';
import { virtualBench } from './fake-bridge.js';

describe('the options of connectBridge', () => {
  it.each<[keyof BridgeOptions, unknown]>([
    ['url', ''],
    ['url', 'bridge'],
    ['url', 'ftp://gateway/bridge'],
    ['url', undefined],
    ['token', ''],
    ['token', undefined],
    ['requestTimeoutMs', 0],
    ['backoff', 500],
    ['backoff', { minDelayMs: 0 }],
    ['backoff', { maxDelayMs: NaN }],
    ['backoff', { minDelayMs: 2, maxDelayMs: 1 }],
    ['random', 0.5],
    ['WebSocket', 'ws'],
  ])('are refused by name: %s %j', (name, value) => {
    const bench = virtualBench();

    expect(() => bench.connect({ [name]: value })).toThrow(
      expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_OPTION', message: expect.stringContaining(name) }),
    );
    expect(bench.sockets).toEqual([]);
  });

  it('are refused without echoing a token that was put into the URL', () => {
    expect(() => virtualBench().connect({ url: 'a-secret-token' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('a-secret-token') }),
    );
  });

  it.each([
    ['wss://gateway/bridge', 'wss://gateway/bridge'],
    ['https://gateway/bridge', 'wss://gateway/bridge'],
    ['http://127.0.0.1:8080/bridge#page', 'ws://127.0.0.1:8080/bridge'],
  ])('take %s for %s', (url, taken) => {
    const bench = virtualBench();
    bench.connect({ url });

    expect(bench.socket.url).toBe(taken);
  });
});

describe('in a page', () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'location');
  });

  it('a path is one of the server that the page is from', () => {
    Object.assign(globalThis, { location: { href: 'https://gateway.example/page?a=b#c' } });
    const bench = virtualBench();
    bench.connect({ url: '/bridge' });

    expect(bench.socket.url).toBe('wss://gateway.example/bridge');
  });
});
