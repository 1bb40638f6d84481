import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { datagramNetwork, testEnvironment } from 'usmp-rx/testing';
import { nodeCrypto, UsmpServer } from '../../src/node.js';
import { parseDeviceId, Secret } from '../../src/protocol/index.js';
import { runClientHandshake } from '../../src/session/handshake.js';
import { deviceIdOf, PSK } from './bench.js';

/** A server with a session, and what makes its device begin another one from the same address, as after a reboot. */
async function sessionAtAddress() {
  const environment = testEnvironment({ provider: nodeCrypto });
  const time = environment.scheduler;
  const network = datagramNetwork({ scheduler: time });
  const server = new UsmpServer({ psk: PSK, ...environment });
  await server.listen({ listeners: [network.listener('gateway')] });
  const dialed = firstValueFrom(network.dialer('gateway').dial());
  await time.advance();
  const transport = await dialed;
  const shakeHands = async (): Promise<void> => {
    const deviceId = parseDeviceId(deviceIdOf(1));
    runClientHandshake(transport, deviceId, new Secret(Buffer.from(PSK)), {
      ...environment,
      timeoutMs: 5_000,
    }).subscribe();
    await time.advance(100);
  };
  await shakeHands();
  return { time, network, server, shakeHands };
}

describe('a device that begins again from the address of its session', () => {
  it('replaces that once it has proved itself', async () => {
    const { server, shakeHands } = await sessionAtAddress();
    const [first] = server.sessions.values();
    await shakeHands();

    expect(server.sessions.size).toBe(1);
    expect([...server.sessions.values()]).not.toContain(first);
    await expect(first!.closed).resolves.toMatchObject({ origin: 'remote', error: { code: 'CLOSED_WITHOUT_BYE' } });
  });

  it('finds a server closed for good that its operator closes when told of that end', async () => {
    const { time, network, server, shakeHands } = await sessionAtAddress();
    const closed = new Promise<void>((resolve) => {
      server.events$.subscribe(({ type }) => {
        if (type === 'session-closed') resolve(server.close());
      });
    });
    await shakeHands();
    await time.advance(60_000);
    await closed;

    expect(server.sessions.size).toBe(0);
    // The socket is closed too: its name can be had again.
    await expect(network.listener('gateway').bind(() => {})).resolves.toMatchObject({ address: 'gateway:1' });
  });
});
