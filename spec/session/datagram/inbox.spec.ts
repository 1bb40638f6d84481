import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../../src/protocol/index.js';
import { bytes, text } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { dropsOf, eventsOf, textsOf } from './observed.js';

const acknowledgementsIn = (log: readonly string[]): string[] => log.filter((entry) => entry.startsWith('< UTACK'));

describe('while the inbox is full', () => {
  it('data is not acknowledged, and each such frame shows as dropped: inbox-full', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 2 });
    const events = eventsOf(session);
    for (const message of ['a', 'b', 'c']) peer.send(PacketType.DATA, bytes(message));
    await time.advance();

    expect(acknowledgementsIn(line.log)).toEqual(['< UTACK DATA 0', '< UTACK DATA 1']);
    expect(events).toEqual(['message 1', 'message 1', 'dropped inbox-full']);
  });

  it('fragments are not acknowledged either', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 1 });
    const drops = dropsOf(session);
    peer.send(PacketType.DATA, bytes('a'));
    peer.send(PacketType.DATA_FRAG, bytes('b'));
    await time.advance();

    expect(acknowledgementsIn(line.log)).toEqual(['< UTACK DATA 0']);
    expect(drops).toEqual(['inbox-full']);
  });

  it('PING is answered, and what was acknowledged before is acknowledged again', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 1 });
    const drops = dropsOf(session);
    const first = peer.send(PacketType.DATA, bytes('a'));
    peer.send(PacketType.PING);
    peer.sendRaw(first);
    await time.advance();

    expect(acknowledgementsIn(line.log)).toEqual(['< UTACK DATA 0', '< UTACK PING 1', '< UTACK DATA 0']);
    expect(peer.frames).toEqual(['PONG 0']);
    expect(drops).toEqual([]);
  });

  it('REKEY and BYE are taken', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 1 } });
    void client.send('a');
    const rekeyed = watch(client.rekey());
    const said = watch(client.bye());
    await time.advance(200);

    expect([rekeyed.state(), said.state()]).toEqual(['resolved', 'resolved']);
    expect(server.closeInfo).toEqual({ origin: 'remote' });
    expect(text(await server.recv())).toBe('a');
  });

  it('our own messages leave', async () => {
    const { session, peer, time } = sessionByHand({ maxInboxMessages: 1 });
    for (const message of ['a', 'b']) peer.send(PacketType.DATA, bytes(message));
    const sent = watch(session.send('c'));
    await time.advance();

    expect(sent.state()).toBe('resolved');
  });
});

describe('when the inbox has room again', () => {
  it('the frame that was refused is taken and acknowledged at once; its repeat is only acknowledged', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 1 });
    const events = eventsOf(session);
    peer.send(PacketType.DATA, bytes('a'));
    const refused = peer.send(PacketType.DATA, bytes('b'));
    await time.advance();
    expect(text(await session.recv())).toBe('a');
    expect(line.log.at(-1)).toBe('< UTACK DATA 1');
    peer.sendRaw(refused);
    await time.advance();

    expect(acknowledgementsIn(line.log)).toEqual(['< UTACK DATA 0', '< UTACK DATA 1', '< UTACK DATA 1']);
    expect(text(await session.recv())).toBe('b');
    expect(events).toEqual(['message 1', 'dropped inbox-full', 'message 1']);
  });

  it('after the end, what was refused stays so: its sender has been told that it was not taken', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 1 });
    for (const message of ['a', 'b']) peer.send(PacketType.DATA, bytes(message));
    peer.send(PacketType.BYE);
    await time.advance();

    expect(text(await session.recv())).toBe('a');
    await expect(session.recv()).rejects.toMatchObject({ code: 'CLOSED_BY_BYE' });
    expect(acknowledgementsIn(line.log)).toEqual(['< UTACK DATA 0', '< UTACK BYE 2']);
  });

  it('nothing is lost, doubled or out of order', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 2 } });
    const drops = dropsOf(server);
    const sends = Array.from('abcdefgh').map((message) => watch(client.send(message)));
    await time.advance(3_000);
    expect(sends.map((send) => send.state()).slice(0, 3)).toEqual(['resolved', 'resolved', 'pending']);
    expect(new Set(drops)).toEqual(new Set(['inbox-full']));
    const received = textsOf(server);
    await time.advance(3_000);

    expect(received).toEqual(Array.from('abcdefgh'));
    expect(sends.map((send) => send.state())).toEqual(Array(8).fill('resolved'));
  });

  it('a message whose fragments were refused in between arrives whole', async () => {
    const { session, peer, time } = sessionByHand({ maxInboxMessages: 1 });
    peer.send(PacketType.DATA, bytes('fills it'));
    const frames = [
      peer.seal(PacketType.DATA_FRAG, pattern(452, 1)),
      peer.seal(PacketType.DATA_FRAG, pattern(452, 2)),
      peer.seal(PacketType.DATA, bytes('end')),
    ];
    peer.sendRaw(frames[0]!);
    await time.advance();
    expect(text(await session.recv())).toBe('fills it');
    for (const frame of frames) peer.sendRaw(frame);
    await time.advance();

    expect((await session.recv()).length).toBe(907);
  });

  it('one message more is taken at a time, with recv as with messages$', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 1 } });
    for (const message of ['a', 'b', 'c']) void client.send(message);
    const received: string[] = [];
    for (let n = 0; n < 3; n++) {
      await time.advance(2_000);
      received.push(text(await server.recv()));
    }

    expect(received).toEqual(['a', 'b', 'c']);
  });
});

describe('the inbox', () => {
  it('is bounded by maxInboxBytes, and one message more', async () => {
    const { session, peer, time } = sessionByHand({ maxInboxBytes: 500 });
    const events = eventsOf(session);
    for (let n = 0; n < 4; n++) peer.send(PacketType.DATA, pattern(300, n));
    await time.advance();

    expect(events).toEqual(['message 300', 'message 300', 'dropped inbox-full', 'dropped inbox-full']);
  });

  it('never fills while somebody consumes', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 1 } });
    const drops = dropsOf(server);
    const received = textsOf(server);
    for (let n = 0; n < 50; n++) void client.send(`${n}`);
    await time.advance(1_000);

    expect(received).toHaveLength(50);
    expect(drops).toEqual([]);
  });

  it('that stays full costs the sender its session, and what was acknowledged is still there', async () => {
    const { client, server, time } = datagramPair({ server: { maxInboxMessages: 2 } });
    const sends = ['a', 'b', 'c'].map((message) => watch(client.send(message)));
    await time.advance(20_000);

    expect(sends.map((send) => send.state())).toEqual(['resolved', 'resolved', 'rejected TIMEOUT_ACKNOWLEDGEMENT']);
    expect([text(await server.recv()), text(await server.recv())]).toEqual(['a', 'b']);
    expect(server.closeInfo).toBeUndefined();
  });
});
