import { describe, expect, it, jest } from '@jest/globals';
import { concatBytes, decodeFrame, encodeFrame, PacketType } from '../../src/protocol/index.js';
import { pattern } from '../protocol/pair.js';
import { ENDS } from './conversation.js';
import { forgedAcknowledgements, forgedFrames, SOME_TYPES } from './forgeries.js';
import { Scene } from './scene.js';

jest.setTimeout(60_000);

const THOUSAND = 1_000;
const DEVICE_ID_AND_KEY_BYTES = 38;

/** HELLO with a key, made of `n`, whose other half the outsider may know. */
const identity = (n: number): Uint8Array => concatBytes(Uint8Array.of(0, 0x11, 0x22, 0x33, 0x44, 0x55), pattern(32, n));
const hello = (n: number, cookie?: Uint8Array): Uint8Array =>
  encodeFrame(PacketType.HELLO, cookie ? 1 : 0, concatBytes(identity(n), cookie ?? new Uint8Array()));
const proof = (n: number): Uint8Array => encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, n));

/** Begins handshakes as if from the device, and reads what the server answers to it. */
async function cookiesOf(scene: Scene, identities: readonly number[], from = scene.device): Promise<Uint8Array[]> {
  const before = scene.sentBy('server').length;
  await scene.attack(
    'server',
    identities.map((n) => hello(n)),
    from,
  );
  return scene
    .sentBy('server')
    .slice(before)
    .filter((datagram) => datagram[3] === PacketType.HELLO_RETRY && datagram[0] === 0xcd)
    .map((datagram) => decodeFrame(datagram).payload);
}

/** Takes the handshake up with an overheard cookie, in the device's place and with its address as source. */
async function begin(scene: Scene, from = scene.device): Promise<void> {
  const [cookie] = await cookiesOf(scene, [1], from);
  const { answers } = await scene.attack('server', [hello(1, cookie)], from);
  expect(answers).toEqual(['UTACK HELLO 1', 'CHALLENGE 0']);
}

describe('an established session', () => {
  it.each(ENDS)('goes on when handshake frames that look right come to the %s', async (end) => {
    const scene = await Scene.open();
    const frames = [
      encodeFrame(PacketType.CHALLENGE, 0, pattern(64, 1)),
      encodeFrame(PacketType.CHALLENGE, 0, new Uint8Array(64)),
      encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, 2)),
      encodeFrame(PacketType.SESSION_OK, 0, pattern(48, 3)),
      encodeFrame(PacketType.HELLO_RETRY, 0, pattern(16, 4)),
      encodeFrame(PacketType.HELLO, 1, pattern(DEVICE_ID_AND_KEY_BYTES + 16, 5)),
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 255].map((code) => encodeFrame(PacketType.ERROR, 0, Uint8Array.of(code, 1, 2))),
    ];

    expect(await scene.attack(end, frames)).toEqual({ dropped: frames.length, answers: [] });
    await scene.expectAlive();
  });

  it('goes on when handshakes are begun from its address, which get a cookie each, up to a limit', async () => {
    const scene = await Scene.open();
    const cookies = await cookiesOf(
      scene,
      Array.from({ length: THOUSAND }, (_, n) => n),
    );

    expect(cookies.length).toBeGreaterThan(0);
    expect(scene.server.counters.dropped['rate-limit']).toBe(THOUSAND - cookies.length);
    await scene.expectAlive();
    expect(scene.server.counters.connectionsAccepted).toBe(1);
  });

  it('goes on when a thousand cookies are guessed or taken from elsewhere', async () => {
    const scene = await Scene.open();
    const [cookie] = await cookiesOf(scene, [1]);
    const guessed = Array.from({ length: THOUSAND }, (_, n) => hello(n, pattern(16, n)));
    const ofOtherKeys = Array.from({ length: THOUSAND }, (_, n) => hello(n + 2, cookie));
    const elsewhere = { address: scene.device.address, port: scene.device.port + 1 };

    expect(await scene.attack('server', guessed)).toEqual({ dropped: THOUSAND, answers: [] });
    expect(await scene.attack('server', ofOtherKeys)).toEqual({ dropped: THOUSAND, answers: [] });
    expect(await scene.attack('server', [hello(1, cookie)], elsewhere)).toEqual({ dropped: 1, answers: [] });
    expect(scene.server.counters.connectionsAccepted).toBe(1);
    await scene.expectAlive();
  });

  it('goes on beside a handshake that another one has begun from its address with an overheard cookie', async () => {
    const scene = await Scene.open();
    await begin(scene);
    await scene.expectAlive();
    const { answers } = await scene.attack('server', forgedAcknowledgements(SOME_TYPES, [0, 1, 2, 0xffff_ffff]));
    expect(answers).toEqual([]);
    await scene.expectAlive(20_000);

    expect(scene.server.counters).toMatchObject({
      connectionsAccepted: 2,
      handshakeFailures: { TIMEOUT_HANDSHAKE: 1 },
    });
    expect(scene.server.sessions.size).toBe(1);
  });

  it('goes on through a flood of HELLO_ACKs, with such a handshake and without one', async () => {
    const scene = await Scene.open();
    const flood = Array.from({ length: THOUSAND }, (_, n) => proof(n));

    expect(await scene.attack('server', flood)).toEqual({ dropped: THOUSAND, answers: [] });
    await begin(scene);
    const { answers } = await scene.attack('server', flood);
    expect(new Set(answers)).toEqual(new Set(['UTACK HELLO_ACK 2']));
    await scene.expectAlive(20_000);
    expect(scene.server.counters.handshakeFailures).toEqual({ AUTH_HMAC: 1 });
  });

  it('goes on when such handshakes take each other’s place without end, of which one at a time is kept', async () => {
    const scene = await Scene.open();
    const identities = Array.from({ length: 200 }, (_, n) => n);
    const cookies = await cookiesOf(scene, identities);
    await scene.attack(
      'server',
      identities.map((n) => hello(n, cookies[n])),
    );

    expect(scene.server.counters).toMatchObject({
      connectionsAccepted: 201,
      handshakeFailures: { HANDSHAKE_INTERRUPTED: 199 },
      refused: {},
    });
    await scene.expectAlive(20_000);
    expect(scene.server.sessions.size).toBe(1);
  });

  it('goes on when its own handshake is replayed beside one from its address', async () => {
    const scene = await Scene.open();
    await begin(scene);
    const before = scene.sentBy('server').length;
    for (const end of ENDS) {
      await scene.attack(
        end,
        scene.past.map(({ datagram }) => datagram),
      );
      await scene.expectAlive();
    }
    await scene.expectAlive(20_000);
    expect(scene.sentBy('server').length).toBeGreaterThan(before);
    expect(scene.server.sessions.size).toBe(1);
  });
});

describe('a handshake that is under way', () => {
  it('drops and counts in silence what proves nothing, and ends when its time is over', async () => {
    const scene = await Scene.open();
    const stranger = { address: 'stranger', port: 1 };
    await begin(scene, stranger);
    const challenge = forgedAcknowledgements([PacketType.CHALLENGE], [0])[0]!;
    const forged = [
      ...forgedAcknowledgements(SOME_TYPES, [1, 2, 0xffff_ffff]),
      ...forgedFrames(SOME_TYPES, [0, 1, 2, 0xffff_ffff], scene.sessions.server.sessionId),
    ];

    expect(await scene.attack('server', [...forged, challenge], stranger)).toEqual({
      dropped: forged.filter((datagram) => !isErrorFrame(datagram)).length,
      answers: [],
    });
    await scene.expectAlive(20_000);
    expect(scene.server.counters.handshakeFailures).toEqual({ TIMEOUT_HANDSHAKE: 1 });
  });
});

/** A well-formed one is told as what the peer says, and changes nothing. */
function isErrorFrame(datagram: Uint8Array): boolean {
  try {
    return decodeFrame(datagram).type === PacketType.ERROR;
  } catch {
    return false;
  }
}
