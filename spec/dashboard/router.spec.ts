import { describe, expect, it } from '@jest/globals';
import { hashOf, routeOf, type Route } from '../../src/dashboard/router.js';

describe('the fragment of the address', () => {
  it.each<[string, Route]>([
    ['', { name: 'overview' }],
    ['#/', { name: 'overview' }],
    ['#/failures', { name: 'failures' }],
    ['#/devices/02:00:00:00:00:0a', { name: 'device', deviceId: '02:00:00:00:00:0a' }],
    ['#/devices/nonsense', { name: 'overview' }],
    ['#/devices', { name: 'overview' }],
    ['#/other', { name: 'overview' }],
    ['#token=abc%2Fd', { name: 'login', token: 'abc/d' }],
    ['#token=50%', { name: 'login', token: '50%' }],
    ['#token=', { name: 'overview' }],
  ])('%j means %j', (hash, route) => expect(routeOf(hash)).toEqual(route));

  it('leads back to the page that it was made for', () => {
    const pages = [
      { name: 'overview' },
      { name: 'failures' },
      { name: 'device', deviceId: '02:00:00:00:00:0a' },
    ] as const;
    expect(pages.map((page) => routeOf(hashOf(page)))).toEqual(pages);
  });
});
