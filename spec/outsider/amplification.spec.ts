import { describe, expect, it, jest } from '@jest/globals';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { pattern } from '../protocol/pair.js';
import { forgedAcknowledgements, forgedFrames, SOME_TYPES } from './forgeries.js';
import { GATEWAY, Scene } from './scene.js';

jest.setTimeout(60_000);

const HELLO_LENGTHS = [38, 54];

describe('a server', () => {
  it('sends fewer bytes to an address that is not proven than came from there, whatever came', async () => {
    const scene = await Scene.open();
    const recorded = scene.recorded.map(({ datagram }) => datagram);
    const hellos = HELLO_LENGTHS.map((length) => encodeFrame(PacketType.HELLO, 0, pattern(length, length)));
    const forged = [
      ...forgedFrames(SOME_TYPES, [0, 0xffff_ffff], scene.sessions.server.sessionId),
      ...forgedAcknowledgements(SOME_TYPES, [0]),
      ...recorded,
      ...hellos,
    ];
    const cameFrom = new Map<string, number>();
    for (const [n, datagram] of forged.entries()) {
      cameFrom.set(`victim-${n}`, datagram.length);
      scene.network.inject(datagram, { from: { address: `victim-${n}`, port: 1 }, to: GATEWAY });
    }
    const before = scene.recorded.length;
    await scene.time.advance(30_000);
    const sentTo = new Map<string, number>();
    for (const { to, datagram } of scene.recorded.slice(before)) {
      if (cameFrom.has(to.address)) sentTo.set(to.address, (sentTo.get(to.address) ?? 0) + datagram.length);
    }

    expect([...sentTo.values()]).toEqual([35, 35]);
    for (const [address, bytes] of sentTo) expect(bytes).toBeLessThan(cameFrom.get(address)!);
    await scene.expectAlive();
  });

  it('acknowledges a replayed frame again with fewer bytes than came', async () => {
    const scene = await Scene.open();
    for (const datagram of scene.sentBy('client')) {
      const before = scene.sentBy('server').length;
      await scene.attack('server', [datagram]);
      const answers = scene.sentBy('server').slice(before);
      const bytes = answers.reduce((sum, { length }) => sum + length, 0);

      expect(bytes).toBeLessThan(datagram.length);
    }
    await scene.expectAlive();
  });
});
