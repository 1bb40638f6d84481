import { describe, expect, it, jest } from '@jest/globals';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { ENDS, opposite, type End } from './conversation.js';
import { nameOf } from '../testing/datagram-setting.js';
import { ALL_TYPES, forgedFrames, mutationsOf, seqEdges } from './forgeries.js';
import { Scene } from './scene.js';

jest.setTimeout(60_000);

/** All that can be made up at an end, without a key. */
const madeUp = (scene: Scene, end: End): Uint8Array[] =>
  forgedFrames(ALL_TYPES, seqEdges(scene.nextSeq(opposite(end))), scene.sessions[end].sessionId);

describe.each(ENDS)('forged frames of every type, sequence number and length at the %s', (end) => {
  it('are dropped and counted in silence, and an idle session goes on', async () => {
    const scene = await Scene.open();
    const forged = madeUp(scene, end);

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    await scene.expectAlive();
  });

  it('are so while messages are under way in both directions', async () => {
    const scene = await Scene.open();
    const { conversation, time } = scene;
    for (const one of ENDS) conversation.say(one, 40);
    await time.advance(105);
    const forged = madeUp(scene, end);
    const batchLength = Math.ceil(forged.length / 20);
    for (let at = 0; at < forged.length; at += batchLength) {
      const batch = forged.slice(at, at + batchLength);

      expect(await scene.attack(end, batch)).toEqual({ dropped: batch.length, answers: [] });
      await time.advance(10);
    }

    for (const one of ENDS) expect(conversation.acknowledged[one]).toBeLessThan(conversation.sent[one].length);
    await scene.expectAlive(10_000);
  });

  it('are so when they are genuine ones with a bit flipped, with or without the right CRC, or cut short', async () => {
    const scene = await Scene.open();
    const names = ['UTACK DATA', 'DATA', 'DATA_FRAG'];
    const genuine = names.map((name) => scene.sentBy(opposite(end)).find((one) => nameOf(one).startsWith(`${name} `))!);
    const forged = genuine.flatMap(mutationsOf);

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    await scene.expectAlive();
  });

  it('are so when they are nothing, anything, or too large', async () => {
    const scene = await Scene.open();
    const random = new SeededRandom(end);
    const anything = Array.from({ length: 5_000 }, () =>
      Uint8Array.from({ length: random.below(500) }, () => random.below(256)),
    );
    const forged = [new Uint8Array(0), ...anything, new Uint8Array(65_507), new Uint8Array(65_507).fill(0xac)];

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    await scene.expectAlive();
  });
});
