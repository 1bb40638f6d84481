import { describe, expect, it } from '@jest/globals';
import { encodeAcknowledgement } from '../../../src/protocol/datagram/acknowledgement.js';
import { encodeFrame, PacketType } from '../../../src/protocol/index.js';
import type { DatagramHandshakeResult } from '../../../src/session/datagram/handshake.js';
import { bytes } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { losesAll } from './datagram-line.js';
import { sessionByHand } from './datagram-pair.js';
import { dropsOf, textsOf } from './observed.js';

const HELLO = encodeFrame(PacketType.HELLO, 1, pattern(54, 1));
const HELLO_ACK = encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, 1));
const SESSION_OK = encodeFrame(PacketType.SESSION_OK, 0, pattern(48, 1));
const ACKNOWLEDGED = {
  HELLO: encodeAcknowledgement(PacketType.HELLO, 1),
  HELLO_ACK: encodeAcknowledgement(PacketType.HELLO_ACK, 2),
  SESSION_OK: encodeAcknowledgement(PacketType.SESSION_OK, 0),
};

/** A server's session at the moment when SESSION_OK has left. */
const serverSession = () =>
  sessionByHand({
    prepare: ({ delivery, answered }: DatagramHandshakeResult) => {
      answered.add(HELLO, ACKNOWLEDGED.HELLO);
      answered.add(HELLO_ACK, ACKNOWLEDGED.HELLO_ACK);
      delivery.send(SESSION_OK);
    },
  });

describe('a server’s session', () => {
  it('repeats SESSION_OK until it is acknowledged, and only then sends what waits', async () => {
    const { session, peer, line, time } = serverSession();
    const sent = watch(session.send('waits'));
    void session.ping();
    await time.advance(600);
    expect(line.log).toEqual(['< SESSION_OK 0', '< SESSION_OK 0']);
    peer.sendRaw(ACKNOWLEDGED.SESSION_OK);
    await time.advance();

    expect(peer.frames).toEqual(['PING 0', 'DATA 5']);
    expect(sent.state()).toBe('resolved');
    await time.advance(60_000);
    expect(line.log.filter((entry) => entry === '< SESSION_OK 0')).toHaveLength(2);
  });

  it('takes the first frame of the client for the acknowledgement of SESSION_OK', async () => {
    const { session, peer, line, time } = serverSession();
    const [received, sent] = [textsOf(session), watch(session.send('waits'))];
    peer.send(PacketType.DATA, bytes('first'));
    await time.advance(60_000);

    expect(received).toEqual(['first']);
    expect(sent.state()).toBe('resolved');
    expect(line.log.filter((entry) => entry === '< SESSION_OK 0')).toHaveLength(1);
  });

  it('does not take a forged frame for it', async () => {
    const { peer, line, time } = serverSession();
    peer.sendRaw(peer.seal(PacketType.DATA, bytes('x')).map((byte, at) => (at === 40 ? byte ^ 1 : byte)));
    await time.advance(500);

    expect(line.log.at(-1)).toBe('< SESSION_OK 0');
  });

  it('acknowledges HELLO and HELLO_ACK again that are repeated after it stands', async () => {
    const { session, peer, line, time } = serverSession();
    const drops = dropsOf(session);
    peer.sendRaw(ACKNOWLEDGED.SESSION_OK);
    for (const repeated of [HELLO_ACK, HELLO, HELLO_ACK]) peer.sendRaw(repeated);
    await time.advance();

    expect(line.log.filter((entry) => entry.startsWith('< UTACK'))).toEqual([
      '< UTACK HELLO_ACK 2',
      '< UTACK HELLO 1',
      '< UTACK HELLO_ACK 2',
    ]);
    expect(drops).toEqual([]);
  });

  it('drops other handshake frames as unexpected, unacknowledged', async () => {
    const { session, peer, line, time } = serverSession();
    const drops = dropsOf(session);
    peer.sendRaw(encodeFrame(PacketType.HELLO_ACK, 2, pattern(32, 2)));
    peer.sendRaw(encodeFrame(PacketType.HELLO, 0, pattern(38, 2)));
    await time.advance();

    expect(drops).toEqual(['unexpected-frame', 'unexpected-frame']);
    expect(line.log.filter((entry) => entry.startsWith('< UTACK'))).toEqual([]);
  });

  it('stands though no acknowledgement of SESSION_OK ever comes: after five attempts it sends what waits', async () => {
    const { session, peer, line, time } = serverSession();
    const sent = watch(session.send('waits'));
    await time.advance(12_499);
    expect(line.log).toEqual(Array(5).fill('< SESSION_OK 0'));
    await time.advance(1);

    expect(peer.frames).toEqual(['DATA 5']);
    expect(sent.state()).toBe('resolved');
  });

  it('whose client never stood ends when that is not acknowledged either', async () => {
    const { session, line, time } = serverSession();
    line.loses = losesAll;
    const sent = watch(session.send('waits'));
    await time.advance(25_000);

    expect(session.closeInfo).toMatchObject({ error: { code: 'TIMEOUT_ACKNOWLEDGEMENT' } });
    expect(sent.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
    expect(time.actions).toEqual([]);
  });

  it('says BYE only after SESSION_OK has arrived', async () => {
    const { session, peer, line, time } = serverSession();
    const said = watch(session.bye());
    await time.advance(100);
    expect(line.log).toEqual(['< SESSION_OK 0']);
    peer.sendRaw(ACKNOWLEDGED.SESSION_OK);
    await time.advance();

    expect(peer.frames).toEqual(['BYE 0']);
    expect(said.state()).toBe('resolved');
  });

  it('is not confused by an acknowledgement of SESSION_OK that comes late', async () => {
    const { session, peer, line, time } = serverSession();
    const drops = dropsOf(session);
    peer.acknowledges = false;
    for (let n = 0; n < 2; n++) peer.sendRaw(ACKNOWLEDGED.SESSION_OK);
    await time.advance();
    const sent = watch(session.send('under way'));
    peer.sendRaw(ACKNOWLEDGED.SESSION_OK);
    await time.advance(60_000);

    expect(sent.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
    expect(line.log.filter((entry) => entry === '< DATA 0')).toHaveLength(5);
    expect(drops).toEqual(['stray-acknowledgement', 'stray-acknowledgement']);
  });
});

describe('a client’s session', () => {
  it('acknowledges a repeated SESSION_OK, whose acknowledgement was lost', async () => {
    const { session, peer, line, time } = sessionByHand({
      role: 'client',
      prepare: ({ answered }) => answered.add(SESSION_OK, ACKNOWLEDGED.SESSION_OK),
    });
    const drops = dropsOf(session);
    peer.sendRaw(SESSION_OK);
    await time.advance();

    expect(line.log).toEqual(['< SESSION_OK 0', '> UTACK SESSION_OK 0']);
    expect(drops).toEqual([]);
  });
});
