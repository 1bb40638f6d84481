import { describe, expect, it, jest } from '@jest/globals';
import { Socket } from 'node:dgram';
import { setTimeout } from 'node:timers';
import { firstValueFrom } from 'rxjs';

const timer = jest.fn<(...args: Parameters<typeof setTimeout>) => NodeJS.Timeout>(setTimeout);
jest.unstable_mockModule('node:timers', () => ({ setTimeout: timer }));
const { udpDialer } = await import('../../src/transport/udp.js');

describe('a retired UDP socket', () => {
  it('does not keep the process alive, and closes after some seconds', async () => {
    const unref = jest.spyOn(Socket.prototype, 'unref');
    const close = jest.spyOn(Socket.prototype, 'close');
    const transport = await firstValueFrom(udpDialer({ port: 9 }).dial());
    transport.retire(Uint8Array.of(1), Uint8Array.of(2));
    const [atEnd, delayMs, ...args] = timer.mock.calls[0]!;
    const { value } = timer.mock.results[0] as { value: NodeJS.Timeout };
    expect([unref.mock.calls.length, value.hasRef(), delayMs]).toEqual([1, false, 10_000]);

    transport.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(close).not.toHaveBeenCalled();

    clearTimeout(value);
    atEnd(...args);
    expect(close.mock.contexts).toEqual(unref.mock.contexts);
  });
});
