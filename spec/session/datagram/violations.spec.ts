import { describe, expect, it } from '@jest/globals';
import { decodeFrame, encodeFrame, PacketType } from '../../../src/protocol/index.js';
import { bytes } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { sessionByHand } from './datagram-pair.js';
import { dropsOf, eventsOf, textsOf } from './observed.js';

const { DATA, DATA_FRAG, PING, PONG } = PacketType;

/** The same with another byte at one place. */
const altered = (right: Uint8Array, place: number): Uint8Array =>
  right.map((byte, at) => (at === place ? byte ^ 1 : byte));

/** A session that wrote down what it received and dropped. */
function observed() {
  const byHand = sessionByHand();
  return { ...byHand, received: textsOf(byHand.session), drops: dropsOf(byHand.session) };
}

describe('a violation within a message costs that message, and the session lives', () => {
  it('a gap in the sequence numbers: the rest is passed over, up to its DATA', async () => {
    const { peer, received, drops, time } = observed();
    peer.send(DATA_FRAG, bytes('a'));
    peer.seal(DATA_FRAG, bytes('lost'));
    peer.send(DATA_FRAG, bytes('c'));
    peer.send(DATA, bytes('d'));
    peer.send(DATA, bytes('next'));
    await time.advance();

    expect(received).toEqual(['next']);
    expect(drops).toEqual(['gap']);
  });

  it('a control frame before its end, which is answered all the same', async () => {
    const { peer, received, drops, time } = observed();
    peer.send(DATA_FRAG, bytes('a'));
    peer.send(PING);
    peer.send(DATA, bytes('what seems a message of its own'));
    peer.send(DATA, bytes('next'));
    await time.advance();

    expect(drops).toEqual(['control-within-message']);
    expect(received.at(-1)).toBe('next');
    expect(peer.frames).toEqual(['PONG 0']);
  });

  it('a fourth DATA_FRAG', async () => {
    const { peer, received, drops, time } = observed();
    for (let n = 0; n < 4; n++) peer.send(DATA_FRAG, pattern(452, n));
    peer.send(DATA, bytes('its end'));
    peer.send(DATA, bytes('next'));
    await time.advance();

    expect(received).toEqual(['next']);
    expect(drops).toEqual(['too-many-fragments']);
  });

  it('each of its frames is acknowledged, since a peer would repeat them for ever', async () => {
    const { peer, line, time } = observed();
    peer.send(DATA_FRAG, bytes('a'));
    peer.send(PONG);
    peer.send(DATA_FRAG, bytes('b'), 5);
    await time.advance();

    expect(line.log.filter((entry) => entry.startsWith('< '))).toEqual([
      '< UTACK DATA_FRAG 0',
      '< UTACK PONG 1',
      '< UTACK DATA_FRAG 5',
    ]);
  });
});

describe('what is not authentic is dropped with its reason, earns nothing and moves nothing', () => {
  it.each<[string, string, (right: Uint8Array) => Uint8Array]>([
    ['noise', 'malformed', () => pattern(60, 9)],
    ['nothing', 'malformed', () => new Uint8Array(0)],
    ['a frame that is cut', 'malformed', (right) => right.subarray(0, -1)],
    ['a frame with a byte more', 'malformed', (right) => Uint8Array.from([...right, 0])],
    ['version 1', 'malformed', (right) => altered(right, 2)],
    ['a wrong CRC', 'malformed', (right) => altered(right, 10)],
    ['sealed frames too short to be any', 'not-authentic', () => encodeFrame(DATA, 0, pattern(27, 1))],
    ['a wrong nonce', 'not-authentic', () => encodeFrame(DATA, 0, pattern(40, 1))],
    ['HELLO_RETRY', 'unexpected-frame', () => encodeFrame(PacketType.HELLO_RETRY, 0, pattern(16, 1))],
    ['CHALLENGE', 'unexpected-frame', () => encodeFrame(PacketType.CHALLENGE, 0, pattern(64, 1))],
    ['HELLO_ACK', 'unexpected-frame', () => encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, 1))],
    ['ERROR', 'error-frame', () => encodeFrame(PacketType.ERROR, 0, Uint8Array.of(2, 0, 0))],
  ])('%s: %s', async (_, reason, forge) => {
    const { session, peer, line, received, drops, time } = observed();
    const right = peer.seal(DATA, bytes('right'));
    peer.sendRaw(forge(right));
    await time.advance();
    expect(drops).toEqual([reason]);
    expect(line.log).toHaveLength(1);
    peer.sendRaw(right);
    await time.advance();

    expect(received).toEqual(['right']);
    expect(session.closeInfo).toBeUndefined();
  });

  it('a wrong tag at every edge of the sequence numbers, the last of which not even a right one may have', async () => {
    const { session, peer, line, received, drops, time } = observed();
    for (const seq of [0, 1, 63, 64, 65, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      const { payload } = decodeFrame(peer.seal(DATA, bytes('forged'), seq));
      peer.sendRaw(encodeFrame(DATA, seq, altered(payload, payload.length - 1)));
    }
    peer.send(DATA, bytes('never used to send'), 2 ** 32 - 1);
    await time.advance();
    expect(drops).toEqual(Array(10).fill('not-authentic'));
    expect(line.log).toHaveLength(10);
    peer.send(DATA, bytes('right'));
    await time.advance();

    expect(received).toEqual(['right']);
    expect(session.closeInfo).toBeUndefined();
  });

  it('a number that lies 64 below the highest: too-old, and is not acknowledged', async () => {
    const { peer, line, received, drops, time } = observed();
    for (let n = 0; n < 65; n++) peer.send(DATA, bytes(`${n}`));
    await time.advance();
    const before = line.log.length;
    peer.send(DATA, bytes('0'), 0);
    peer.send(DATA, bytes('1'), 1);
    await time.advance();

    expect(drops).toEqual(['too-old']);
    expect(line.log.slice(before + 2)).toEqual(['< UTACK DATA 1']);
    expect(received).toHaveLength(65);
  });

  it('an authentic PING with a plaintext: control-plaintext', async () => {
    const { peer, line, drops, time } = observed();
    peer.send(PING, bytes('x'));
    peer.send(PacketType.REKEY, pattern(31, 1));
    await time.advance();

    expect(drops).toEqual(['control-plaintext', 'control-plaintext']);
    expect(line.log).toHaveLength(2);
  });
});

describe('an outsider who replays and forges', () => {
  it('cannot make the window move: what is right still comes', async () => {
    const { session, peer, received, time } = observed();
    const recorded = Array.from({ length: 100 }, (_, n) => peer.seal(DATA, bytes(`${n}`)));
    for (const [n, datagram] of recorded.entries()) {
      peer.sendRaw(datagram);
      for (const old of recorded.slice(0, n)) if (n % 10 === 0) peer.sendRaw(old);
      peer.sendRaw(encodeFrame(DATA, 2 ** 32 - 2, pattern(100, n)));
      await time.advance();
    }

    expect(received).toEqual(recorded.map((_, n) => `${n}`));
    expect(session.closeInfo).toBeUndefined();
  });
});

describe('a flood of control frames', () => {
  it('ends the session at the ninth within a second with no data between them', async () => {
    const { session, peer, line, time } = sessionByHand();
    const events = eventsOf(session);
    for (let n = 0; n < 8; n++) peer.send(PING);
    await time.advance(999);
    expect(session.closeInfo).toBeUndefined();
    peer.send(PING);
    await time.advance();

    expect(session.closeInfo).toMatchObject({ error: { name: 'SequenceError', code: 'CONTROL_FLOOD' } });
    expect(events.at(-1)).toBe('closed remote CONTROL_FLOOD');
    expect(line.server.state).toBe('destroyed');
  });

  it('is none with data between them, or with more time, or where they are repeats', async () => {
    const { session, peer, time } = sessionByHand();
    textsOf(session);
    for (let n = 0; n < 24; n++) {
      peer.send(PING);
      if (n === 7) peer.send(DATA, bytes('x'));
      if (n === 15) await time.advance(1_000);
    }
    const again = peer.seal(PING);
    await time.advance(1_000);
    for (let n = 0; n < 50; n++) peer.sendRaw(again);
    await time.advance();

    expect(session.closeInfo).toBeUndefined();
  });
});
