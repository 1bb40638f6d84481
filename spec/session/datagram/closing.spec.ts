import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../../src/protocol/index.js';
import { bytes, text } from '../../../src/testing/index.js';
import { losesFirst } from '../../testing/datagram-setting.js';
import { watch } from '../marbles.js';
import { losesAll, losesNamed } from './datagram-line.js';
import { datagramPair, sessionByHand } from './datagram-pair.js';
import { eventsOf, textsOf } from './observed.js';

const byes = (log: readonly string[]): string[] => log.filter((entry) => entry.includes('BYE'));

describe('bye', () => {
  it('sends everything that waits, then BYE, and resolves when that is acknowledged', async () => {
    const { client, server, line, time } = datagramPair({ delayMs: 10 });
    const received = textsOf(server);
    const sends = ['a', 'b'].map((message) => watch(client.send(message)));
    const said = watch(client.bye());
    await time.advance(59);
    expect(said.state()).toBe('pending');
    await time.advance(1);

    expect(said.state()).toBe('resolved');
    expect(sends.map((send) => send.state())).toEqual(['resolved', 'resolved']);
    expect(received).toEqual(['a', 'b']);
    expect(line.log.at(-2)).toBe('> BYE 2');
    expect([client.closeInfo, server.closeInfo]).toEqual([{ origin: 'local' }, { origin: 'remote' }]);
    expect([line.client.state, line.server.state]).toEqual(['destroyed', 'retired']);
  });

  it('repeats a lost BYE', async () => {
    const { client, server, line, time } = datagramPair();
    line.loses = losesFirst('toServer', 'BYE 0', 2);
    const said = watch(client.bye());
    await time.advance(1_520);

    expect(said.state()).toBe('resolved');
    expect(byes(line.log)).toEqual(['> BYE 0', '> BYE 0', '> BYE 0', '< UTACK BYE 0']);
    expect(server.closeInfo).toEqual({ origin: 'remote' });
  });

  it('whose acknowledgement is lost is acknowledged again by a peer that is closed', async () => {
    const { client, server, line, time } = datagramPair();
    line.loses = losesFirst('toClient', 'UTACK BYE 0', 2);
    const said = watch(client.bye());
    await time.advance(10);
    expect(server.closeInfo).toEqual({ origin: 'remote' });
    await time.advance(1_510);

    expect(said.state()).toBe('resolved');
    expect(byes(line.log)).toEqual(Array(3).fill(['> BYE 0', '< UTACK BYE 0']).flat());
  });

  it('that nobody acknowledges has been said all the same: a clean end after closeTimeoutMs', async () => {
    const { client, line, time } = datagramPair({ client: { closeTimeoutMs: 4_000 } });
    line.loses = losesAll;
    const said = watch(client.bye());
    await time.advance(3_999);
    expect(said.state()).toBe('pending');
    await time.advance(1);

    expect(said.state()).toBe('resolved');
    expect(client.closeInfo).toEqual({ origin: 'local' });
    expect(byes(line.log)).toHaveLength(4);
  });

  it('ends cleanly after five attempts where closeTimeoutMs leaves time for them', async () => {
    const { client, line, time } = datagramPair({ client: { closeTimeoutMs: 60_000 } });
    line.loses = losesAll;
    void client.bye();
    await time.advance(12_499);
    expect(client.closeInfo).toBeUndefined();
    await time.advance(1);

    expect(client.closeInfo).toEqual({ origin: 'local' });
    expect(byes(line.log)).toHaveLength(5);
  });

  it('fails with TIMEOUT_SEND where what is to leave before is not acknowledged in time', async () => {
    const { client, line, time } = datagramPair({ client: { closeTimeoutMs: 2_000 } });
    line.loses = losesAll;
    const sends = ['a', 'b'].map((message) => watch(client.send(message)));
    void client.bye();
    await time.advance(2_000);

    expect(client.closeInfo).toMatchObject({ error: { name: 'TimeoutError', code: 'TIMEOUT_SEND' } });
    expect(sends.map((send) => send.state())).toEqual(['rejected TIMEOUT_SEND', 'rejected CLOSED_BEFORE_SEND']);
    expect(byes(line.log)).toEqual([]);
  });

  it('fails with TIMEOUT_ACKNOWLEDGEMENT where a message before it is given up', async () => {
    const { client, line, time } = datagramPair({ client: { closeTimeoutMs: 60_000 } });
    line.loses = losesAll;
    void client.send('a');
    void client.bye();
    await time.advance(12_500);

    expect(client.closeInfo).toMatchObject({ error: { code: 'TIMEOUT_ACKNOWLEDGEMENT' } });
  });

  it('of both sides at once is a clean end for both, each of which acknowledges the other', async () => {
    const { client, server, line, time } = datagramPair();
    for (const session of [client, server]) void session.bye();
    await time.advance(20);

    expect([client.closeInfo, server.closeInfo]).toEqual([{ origin: 'local' }, { origin: 'local' }]);
    expect(byes(line.log)).toEqual(['> BYE 0', '< BYE 0', '< UTACK BYE 0', '> UTACK BYE 0']);
  });

  it('of both sides, one of which is lost, is a clean end for both', async () => {
    const { client, server, line, time } = datagramPair();
    line.loses = losesNamed('UTACK BYE 0');
    for (const session of [client, server]) void session.bye();
    await time.advance(20);

    expect([client.closeInfo, server.closeInfo]).toEqual([{ origin: 'local' }, { origin: 'local' }]);
    expect(time.actions).toEqual([]);
  });

  it('may be said again, and then sends nothing', async () => {
    const { client, line, time } = datagramPair();
    const said = [client.bye(), client.bye(), client[Symbol.asyncDispose]()].map(watch);
    await time.advance(20);
    said.push(watch(client.bye()));
    await time.advance(20);

    expect(said.map((one) => one.state())).toEqual(Array(4).fill('resolved'));
    expect(byes(line.log)).toEqual(['> BYE 0', '< UTACK BYE 0']);
  });
});

describe('once our BYE has left', () => {
  it('data is not taken, and so its sender learns that it was not', async () => {
    const { session, peer, line, time } = sessionByHand();
    peer.acknowledges = false;
    const received = textsOf(session);
    void session.bye();
    peer.send(PacketType.DATA, bytes('too late'));
    await time.advance();

    expect(received).toEqual([]);
    expect(line.log).toEqual(['< BYE 0', '> DATA 0']);
  });

  it('nor is what was refused before, though there is room now', async () => {
    const { session, peer, line, time } = sessionByHand({ maxInboxMessages: 1 });
    peer.acknowledges = false;
    for (const message of ['a', 'b']) peer.send(PacketType.DATA, bytes(message));
    await time.advance();
    void session.bye();

    expect(text(await session.recv())).toBe('a');
    expect(line.log.filter((entry) => entry.includes('UTACK'))).toEqual(['< UTACK DATA 0']);
  });

  it('control frames are acknowledged, and PING is not answered', async () => {
    const { session, peer, line, time } = sessionByHand();
    peer.acknowledges = false;
    void session.bye();
    peer.send(PacketType.PING);
    await time.advance();

    expect(line.log).toEqual(['< BYE 0', '> PING 0', '< UTACK PING 0']);
  });

  it('every call is refused', async () => {
    const { session, peer, time } = sessionByHand();
    peer.acknowledges = false;
    void session.bye();
    await time.advance();
    const calls = [session.send('x'), session.ping(), session.rekey()].map((call) => watch<unknown>(call));
    await time.advance();

    expect(calls.map((call) => call.state())).toEqual([
      'rejected CLOSED_BEFORE_SEND',
      'rejected CLOSED',
      'rejected CLOSED',
    ]);
  });
});

describe('a BYE of the peer', () => {
  it('is acknowledged, ends the session, and tells whoever waits CLOSED_BY_BYE', async () => {
    const { session, peer, line, time } = sessionByHand();
    const events = eventsOf(session);
    peer.acknowledges = false;
    const sends = ['under way', 'not begun'].map((message) => watch(session.send(message)));
    const waiting = [session.recv(), session.ping(), session.rekey()].map((call) => watch<unknown>(call));
    peer.send(PacketType.BYE);
    await time.advance();

    expect(line.log).toEqual(['< DATA 0', '> BYE 0', '< UTACK BYE 0']);
    expect(sends.map((send) => send.state())).toEqual(['rejected CLOSED_BY_BYE', 'rejected CLOSED_BEFORE_SEND']);
    expect(waiting.map((call) => call.state())).toEqual(Array(3).fill('rejected CLOSED_BY_BYE'));
    expect(events).toEqual(['sent 9', 'closed remote']);
    expect(line.server.state).toBe('retired');
  });

  it('that is forged ends nothing', async () => {
    const { session, peer, time } = sessionByHand();
    peer.sendRaw(peer.seal(PacketType.BYE).map((byte, at) => (at === 39 ? byte ^ 1 : byte)));
    await time.advance();

    expect(session.closeInfo).toBeUndefined();
  });
});

describe('the end of the transport', () => {
  it('ends the session with CLOSED_WITHOUT_BYE and its cause', async () => {
    for (const cause of [new Error('the address has another session'), 'no error']) {
      const { session, line, time } = sessionByHand();
      line.server.end(cause);
      await time.advance();

      expect(session.closeInfo).toMatchObject({ origin: 'remote', error: { code: 'CLOSED_WITHOUT_BYE', cause } });
      expect(line.server.state).toBe('destroyed');
    }
  });
});
