import { describe, expect, it, jest } from '@jest/globals';
import type { Session } from '../../src/node.js';
import { isAcknowledgement } from '../../src/protocol/index.js';
import { ENDS, opposite, type End } from './conversation.js';
import { ALL_TYPES, forgedAcknowledgements, seqEdges } from './forgeries.js';
import { Scene } from './scene.js';

jest.setTimeout(60_000);

/** Every acknowledgement that an outsider can make up or has heard, at an end. */
function acknowledgements(scene: Scene, end: End): Uint8Array[] {
  const recorded = scene.past.map(({ datagram }) => datagram).filter(isAcknowledgement);
  return [...forgedAcknowledgements(ALL_TYPES, seqEdges(scene.nextSeq(end))), ...recorded];
}

const OUTSTANDING: readonly (readonly [string, (session: Session) => Promise<unknown>])[] = [
  ['DATA', (session) => session.send('of one frame')],
  ['DATA_FRAG', (session) => session.send(new Uint8Array(1_800))],
  ['PING', (session) => session.ping()],
  ['REKEY', (session) => session.rekey()],
];

describe.each(ENDS)('at the %s, acknowledgements forged for every type and number, and recorded ones', (end) => {
  it.each(OUTSTANDING)('acknowledge no %s', async (name, start) => {
    const scene = await Scene.open();
    scene.loseFrom(end, name);
    let outcome: unknown = 'waiting';
    start(scene.sessions[end]).then(
      () => (outcome = 'done'),
      (error: unknown) => (outcome = error),
    );
    await scene.time.advance(50);
    const outstanding = scene.sentBy(end).at(-1);
    const forged = acknowledgements(scene, end);

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    expect(outcome).toBe('waiting');
    await scene.time.advance(1_000);
    expect(scene.sentBy(end).at(-1)).toEqual(outstanding);
    scene.comeUp();
    await scene.time.advance(5_000);
    expect(outcome).toBe('done');
    if (name.startsWith('DATA')) scene.conversation.arrived[opposite(end)].pop();
    await scene.expectAlive();
  });

  it('acknowledge no PONG', async () => {
    const scene = await Scene.open();
    scene.loseFrom(end, 'PONG');
    const pinged = scene.sessions[opposite(end)].ping();
    await scene.time.advance(50);
    const forged = acknowledgements(scene, end);

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    scene.comeUp();
    await scene.time.advance(5_000);
    await expect(pinged).resolves.toBeGreaterThan(0);
    await scene.expectAlive();
  });

  it('acknowledge no BYE', async () => {
    const scene = await Scene.open();
    const { conversation, time } = scene;
    scene.loseFrom(end, 'BYE');
    void scene.sessions[end].bye();
    await time.advance(50);
    const forged = acknowledgements(scene, end);

    expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    expect(conversation.ends).toEqual([]);
    scene.comeUp();
    await time.advance(2_000);
    expect(conversation.ends).toEqual(
      expect.arrayContaining([
        { end, info: { origin: 'local' } },
        { end: opposite(end), info: { origin: 'remote' } },
      ]),
    );
  });

  it('let nothing be skipped while messages are under way in both directions', async () => {
    const scene = await Scene.open();
    const { conversation, time } = scene;
    for (const one of ENDS) conversation.say(one, 40);
    for (let batch = 0; batch < 20; batch++) {
      await time.advance(17);
      const forged = acknowledgements(scene, end);

      expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
    }

    for (const one of ENDS) expect(conversation.acknowledged[one]).toBeLessThan(conversation.sent[one].length);
    await scene.expectAlive(10_000);
  });
});
