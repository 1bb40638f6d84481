import { describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom } from 'rxjs';

const lookup = jest.fn(() =>
  Promise.resolve([
    { address: '127.0.0.2', family: 4 },
    { address: '127.0.0.3', family: 4 },
  ]),
);
jest.unstable_mockModule('node:dns/promises', () => ({ lookup }));
const { udpDialer } = await import('../../src/transport/udp.js');

describe('a UDP dialer for a name with several addresses', () => {
  it('looks them up for each dial, and dials them in turn', async () => {
    const dialer = udpDialer({ host: 'gateway.invalid', port: 9 });
    const dialed: string[] = [];
    for (let n = 0; n < 3; n++) {
      const transport = await firstValueFrom(dialer.dial());
      dialed.push(transport.remoteAddress);
      transport.destroy();
    }

    expect(dialed).toEqual(['127.0.0.2:9', '127.0.0.3:9', '127.0.0.2:9']);
    expect(lookup.mock.calls).toEqual(Array(3).fill(['gateway.invalid', { all: true }]));
  });
});
