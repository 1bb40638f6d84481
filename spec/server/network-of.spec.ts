import { describe, expect, it } from '@jest/globals';
import { networkOf } from '../../src/server/network-of.js';

describe('whom the limits per address count a peer to', () => {
  it.each([
    ['192.0.2.7:49152', '192.0.2.7'],
    ['[::ffff:192.0.2.7]:49152', '192.0.2.7'],
    ['[2001:db8:1:2:3:4:5:6]:49152', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:1', '2001:db8:1:2::/64'],
    ['[2001:db8::9]:1', '2001:db8:0:0::/64'],
    ['[fe80::1%eth0]:1', 'fe80:0:0:0::/64'],
    ['[::1]:1', '0:0:0:0::/64'],
    ['gateway-host:3', 'gateway-host'],
    ['memory:left', 'memory:left'],
    ['?:0', '?'],
  ])('%s: %s', (remoteAddress, network) => {
    expect(networkOf(remoteAddress)).toBe(network);
  });
});
