import { describe, expect, it, jest } from '@jest/globals';
import { isAcknowledgement, PacketType, toHex } from '../../src/protocol/index.js';
import { ENDS, opposite, type End } from './conversation.js';
import { GATEWAY, Scene } from './scene.js';

jest.setTimeout(60_000);

/** What an end sends in answer to an attack that it has never sent before, in hexadecimal. */
async function newAnswers(scene: Scene, end: End, attack: () => Promise<unknown>): Promise<string[]> {
  const before = scene.sentBy(end);
  await attack();
  const known = new Set(before.map((datagram) => toHex(datagram)));
  const answers = scene.sentBy(end).slice(before.length);
  return answers.map((datagram) => toHex(datagram)).filter((answer) => !known.has(answer));
}

describe.each(ENDS)('replays at the %s', (end) => {
  it('of all that was ever sent to it are acknowledged as they were then, or dropped, and nothing comes twice', async () => {
    const scene = await Scene.open();
    const replayed = scene.sentBy(opposite(end));
    const attack = async (): Promise<void> => {
      const { dropped, answers } = await scene.attack(end, replayed);

      // Of the rest the server answers HELLO with two datagrams, since it keeps nothing of it.
      expect(dropped + answers.length).toBe(replayed.length + (end === 'server' ? 1 : 0));
      expect(dropped).toBeGreaterThanOrEqual(replayed.filter(isAcknowledgement).length);
    };

    expect(await newAnswers(scene, end, attack)).toEqual([]);
    await scene.expectAlive();
  });

  it('are so while messages are under way in both directions', async () => {
    const scene = await Scene.open();
    for (const one of ENDS) scene.conversation.say(one, 40);
    for (let batch = 0; batch < 20; batch++) {
      await scene.time.advance(17);
      const replayed = scene.past.filter(({ direction }) => direction === (end === 'server' ? 'toServer' : 'toClient'));
      const attack = () =>
        scene.attack(
          end,
          replayed.map(({ datagram }) => datagram),
        );

      expect(await newAnswers(scene, end, attack)).toEqual([]);
    }
    await scene.expectAlive(10_000);
  });

  it('of what it sent itself are dropped in silence', async () => {
    const scene = await Scene.open();
    const reflected = scene.sentBy(end);

    expect(await scene.attack(end, reflected)).toEqual({ dropped: reflected.length, answers: [] });
    await scene.expectAlive();
  });

  it('of an earlier session of the device are dropped in silence, but for its HELLO', async () => {
    const scene = await Scene.open();
    await scene.reconnect();
    const { address, port } = scene.device;
    const earlier = scene.recorded
      .filter(({ from, to }) => [from, to].some((one) => one.address === address && one.port < port))
      .map(({ datagram }) => datagram);
    const [hello, ...rest] = earlier;

    expect(earlier.length).toBeGreaterThan(40);
    expect(await scene.attack(end, rest)).toEqual({ dropped: rest.length, answers: [] });
    expect(await scene.attack(end, [hello!])).toEqual(
      end === 'server' ? { dropped: 0, answers: ['UTACK HELLO 0', 'HELLO_RETRY 0'] } : { dropped: 1, answers: [] },
    );
    await scene.expectAlive();
  });

  it('of the session of another device are dropped in silence, but for its HELLO', async () => {
    const scene = await Scene.open();
    const before = scene.recorded.length;
    const other = scene.newClient({ deviceId: '00:11:22:33:44:66' }, 'other');
    void other.connect();
    void other.send('from another device');
    await scene.time.advance(1_000);
    void scene.server.session(other.deviceId)!.send('to another device');
    await scene.time.advance(1_000);
    const [hello, ...rest] = scene.recorded.slice(before).map(({ datagram }) => datagram);

    expect(await scene.attack(end, rest)).toEqual({ dropped: rest.length, answers: [] });
    expect((await scene.attack(end, [hello!])).dropped).toBe(end === 'server' ? 0 : 1);
    await scene.expectAlive();
    void other.close();
  });

  it('do not keep a silence limit from passing, as they are no sign of life', async () => {
    const scene = await Scene.open();
    const replayed = scene.sentBy(opposite(end));
    const idle = scene.time.now();
    scene.goDown();
    let endedMs: number | undefined;
    void scene.sessions[end].closed.then(() => (endedMs = scene.time.now()));
    while (endedMs === undefined && scene.time.now() < idle + 120_000) {
      await scene.time.advance(500);
      await scene.attack(end, replayed);
    }

    expect(endedMs).toBeLessThan(idle + 61_000);
  });
});

describe('replays from addresses that have no session', () => {
  it.each([
    ['a stranger', { address: 'stranger', port: 1 }],
    ['another port of the device', { address: 'device', port: 9 }],
  ])('earn %s no acknowledgement of a sealed frame', async (_, from) => {
    const scene = await Scene.open();
    const [hello, ...rest] = scene.recorded.map(({ datagram }) => datagram);

    expect(await scene.attack('server', rest, from)).toEqual({ dropped: rest.length, answers: [] });
    expect((await scene.attack('server', [hello!], from)).answers).toEqual(['UTACK HELLO 0', 'HELLO_RETRY 0']);
    expect(await scene.attack('client', rest, from)).toEqual({ dropped: 0, answers: [] });
    await scene.expectAlive();
  });
});

describe('replays at a client that talks to a server that has nothing to say', () => {
  it('do not keep it from asking whether the server is still there, so that the session lives', async () => {
    const scene = await Scene.open();
    const replayed = scene.sentBy('server');
    for (let second = 0; second < 120; second++) {
      scene.conversation.say('client', 1);
      await scene.time.advance(1_000);
      await scene.attack('client', replayed);
    }
    await scene.expectAlive();
  });

  it('do not keep its recv() waiting for longer than its silence limit', async () => {
    const scene = await Scene.open();
    const other = scene.newClient({ deviceId: '00:11:22:33:44:66' }, 'other');
    void other.connect();
    await scene.time.advance(1_000);
    void scene.server.session(other.deviceId)!.send('hello');
    await scene.time.advance(1_000);
    await other.recv();
    const timedOut = other.recv({ timeoutMs: 5_000 });
    const [last] = scene
      .sentBy('server')
      .filter((datagram) => datagram[3] === PacketType.DATA)
      .slice(-1);
    for (let second = 0; second < 6; second++) {
      await scene.time.advance(1_000);
      scene.network.inject(last!, { from: GATEWAY, to: { address: 'other', port: 1 } });
    }

    await expect(timedOut).rejects.toMatchObject({ code: 'TIMEOUT_RECV' });
    void other.close();
  });
});
