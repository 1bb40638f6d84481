import { describe, expect, it } from '@jest/globals';
import { OriginPolicy } from '../../src/bridge/origin.js';
import { ConfigError } from '../../src/protocol/errors.js';

describe('an origin', () => {
  const policy = new OriginPolicy(['https://dashboard.example', 'http://localhost:4200']);

  it.each([
    ['none, as a program sends', undefined, 'gateway:8080'],
    ['the same host and port', 'http://gateway:8080', 'gateway:8080'],
    ['the same host in other letters', 'http://gateway:8080', 'GATEWAY:8080'],
    ['the same host at the default port', 'https://gateway', 'gateway'],
    ['an IPv6 address that is the same', 'http://[::1]:8080', '[::1]:8080'],
    ['one of the list', 'https://dashboard.example', 'gateway:8080'],
    ['one of the list with a port', 'http://localhost:4200', 'gateway:8080'],
  ])('is let in: %s', (_, origin, host) => {
    expect(policy.admits(origin, host)).toBe(true);
  });

  it.each([
    ['another host', 'https://evil.example', 'gateway:8080'],
    ['another port', 'http://gateway:8081', 'gateway:8080'],
    ['another scheme of one in the list', 'http://dashboard.example', 'gateway:8080'],
    ['one that begins like one in the list', 'https://dashboard.example.evil.example', 'gateway:8080'],
    ['one that ends like the host', 'http://evil-gateway:8080', 'gateway:8080'],
    ['null, as of a sandboxed frame', 'null', 'gateway:8080'],
    ['nothing', '', 'gateway:8080'],
    ['any, where the request names no host', 'http://gateway:8080', undefined],
  ])('is refused: %s', (_, origin, host) => {
    expect(policy.admits(origin, host)).toBe(false);
  });

  it.each(['*', 'dashboard.example', 'https://dashboard.example/', 'https://dashboard.example/path', 'null', 7])(
    'can not be allowed by %j',
    (wrong) => {
      expect(() => new OriginPolicy([wrong as string])).toThrow(ConfigError);
    },
  );
});
