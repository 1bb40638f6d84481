import { describe, expect, it, jest } from '@jest/globals';
import type { SentDatagram } from 'usmp-rx/testing';
import { toHex } from '../../src/protocol/index.js';
import { ENDS, opposite, type End } from './conversation.js';
import { forgedAcknowledgements, forgedFrames, mutationsOf, seqEdges, SOME_TYPES } from './forgeries.js';
import { Scene } from './scene.js';

jest.setTimeout(60_000);

const ACKNOWLEDGEMENT_BYTES = 15;

/** How far a rekeying comes: from which datagram on everything is lost. */
type Stage = readonly [title: string, initiators: readonly End[], losing: End, name: string];

const alone = (end: End): readonly Stage[] => [
  [`the REKEY of the ${end} is outstanding`, [end], end, 'REKEY'],
  [`the acknowledgement of the REKEY of the ${end} is lost`, [end], opposite(end), 'UTACK REKEY'],
  [`the PING after the REKEY of the ${end} is lost`, [end], end, 'PING'],
  [`the PONG that confirms the REKEY of the ${end} is lost`, [end], opposite(end), 'PONG'],
];
const STAGES: readonly Stage[] = [
  ...ENDS.flatMap(alone),
  ['two REKEYs are outstanding', ENDS, 'server', 'REKEY'],
  ['two REKEYs have crossed', ENDS, 'server', 'UTACK REKEY'],
  ['two REKEYs have crossed, and nothing under the new keys arrives', ENDS, 'server', 'PING'],
  ['the PING after two REKEYs that crossed is lost', ENDS, 'client', 'PING'],
  ['the PONG after two REKEYs that crossed is lost', ENDS, 'server', 'PONG'],
];

/** Frames and acknowledgements that are made up, and the shorter ones of the last genuine ones, spoilt. */
const forgeries = (scene: Scene, end: End): Uint8Array[] => [
  ...forgedFrames(SOME_TYPES, seqEdges(scene.nextSeq(opposite(end))), scene.sessions[end].sessionId),
  ...forgedAcknowledgements(SOME_TYPES, seqEdges(scene.nextSeq(end))),
  ...scene
    .sentBy(opposite(end))
    .slice(-4)
    .filter(({ length }) => length < 100)
    .flatMap(mutationsOf),
];

/** Replays everything at an end; of what it answers, the acknowledgements that it has not sent before. */
async function newAcknowledgements(scene: Scene, end: End, replayed: readonly SentDatagram[]): Promise<string[]> {
  const before = scene.sentBy(end);
  await scene.attack(
    end,
    replayed.map(({ datagram }) => datagram),
  );
  const known = new Set(before.map((datagram) => toHex(datagram)));
  return scene
    .sentBy(end)
    .slice(before.length)
    .filter(({ length }) => length === ACKNOWLEDGEMENT_BYTES)
    .map((datagram) => toHex(datagram))
    .filter((answer) => !known.has(answer));
}

describe('an outsider, while a rekeying is pending', () => {
  it.each(STAGES)('changes nothing: %s', async (_, initiators, losing, name) => {
    const scene = await Scene.open();
    const { conversation, network, sessions, time } = scene;
    scene.loseFrom(losing, name);
    const rekeyed = initiators.map((end) => sessions[end].rekey());
    for (const end of ENDS) conversation.say(end, 8);
    await time.advance(80);
    expect(network.counters.toServer.blackedOut + network.counters.toClient.blackedOut).toBeGreaterThan(0);

    for (const end of ENDS) {
      const forged = forgeries(scene, end);

      expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
      expect(await newAcknowledgements(scene, end, scene.past)).toEqual([]);
    }
    scene.comeUp();
    await time.advance(10_000);
    await Promise.all(rekeyed);
    await scene.expectAlive();

    // REKEYs among them that never arrived, as they were given up for the other one.
    for (const end of ENDS) expect(await newAcknowledgements(scene, end, scene.recorded)).toEqual([]);
    await scene.expectAlive();
  });

  it.each([
    ['of the client', ['client']],
    ['of the server', ['server']],
    ['of both', ENDS],
  ] as const)('changes nothing at any moment of one %s that goes on', async (_, initiators) => {
    const scene = await Scene.open();
    for (const end of ENDS) scene.conversation.say(end, 8);
    const rekeyed = initiators.map((end) => scene.sessions[end].rekey());
    for (let moment = 0; moment < 30; moment++) {
      await scene.time.advance(7);
      for (const end of ENDS) {
        const forged = forgedAcknowledgements(SOME_TYPES, seqEdges(scene.nextSeq(end)));

        expect(await scene.attack(end, forged)).toEqual({ dropped: forged.length, answers: [] });
        expect(await newAcknowledgements(scene, end, scene.past)).toEqual([]);
      }
    }
    await Promise.all(rekeyed);
    await scene.expectAlive();
  });
});
