import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { CryptoError, PacketType, type CryptoProvider, type UsmpError } from '../../../src/protocol/index.js';
import { bytes } from '../../../src/testing/index.js';
import { pattern } from '../../protocol/pair.js';
import { watch } from '../marbles.js';
import { sessionByHand } from './datagram-pair.js';
import { textsOf } from './observed.js';

describe('a session over datagrams ends in order: timers, transport, observables, closed, keys', () => {
  it.each([
    ['at a BYE of its own', (by: ReturnType<typeof sessionByHand>) => void by.session.bye()],
    ['at a BYE of the peer', (by: ReturnType<typeof sessionByHand>) => void by.peer.send(PacketType.BYE)],
    ['at an error', (by: ReturnType<typeof sessionByHand>) => by.line.server.end(new Error('gone'))],
  ])('%s', async (_, end) => {
    const log: string[] = [];
    const byHand = sessionByHand({
      crypto: wipesLogged(() => log.push('a key is wiped')),
      keepaliveMs: 15_000,
      rekey: { everyMs: 60_000 },
    });
    const { session, line, time } = byHand;
    const timers = (): number => time.actions.filter(({ delay }) => delay > time.frame).length;
    const enter = (what: string): void => void log.push(`${what}, ${line.server.state}, ${timers()} timers`);
    session.messages$.subscribe({
      complete: () => enter('messages$'),
      error: (error: unknown) => enter(`messages$ ${(error as UsmpError).code}`),
    });
    session.state$.subscribe({ complete: () => enter('state$') });
    session.events$.subscribe({ complete: () => enter('events$') });
    void session.closed.then(() => log.push('closed'));
    expect(timers()).toBe(3);
    end(byHand);
    await time.advance();

    expect(log.map((entry) => entry.split(',')[0]?.split(' ')[0])).toEqual([
      'messages$',
      'state$',
      'events$',
      'a',
      'a',
      'closed',
    ]);
    expect(log.slice(0, 3)).toEqual(Array(3).fill(expect.stringMatching(/(destroyed|retired), 0 timers/)));
    expect(time.actions).toEqual([]);
  });

  it('and nothing is sent, received or shown after', async () => {
    const { session, peer, line, time } = sessionByHand();
    const received = textsOf(session);
    void session.send(pattern(1_000, 1));
    await time.advance();
    void session.bye();
    await time.advance();
    const before = line.log.length;
    peer.send(PacketType.DATA, bytes('late'));
    await time.advance(60_000);

    expect(line.log.slice(before)).toEqual(['> DATA 0']);
    expect(received).toEqual([]);
  });
});

describe('a frame that cannot be sealed', () => {
  it('ends the session with its error: nothing of it was sent', async () => {
    const failure = new CryptoError('CRYPTO_FAILURE', 'the provider failed', { origin: 'local' });
    const fails = (): never => {
      throw failure;
    };
    const crypto = { ...nodeCrypto, aead: () => ({ seal: fails, open: fails, wipe: () => {} }) };
    for (const call of ['send', 'ping', 'rekey', 'bye'] as const) {
      const { session, line, time } = sessionByHand({ crypto });
      const called = watch<unknown>(call === 'send' ? session.send('x') : session[call]());
      await time.advance();

      expect(called.state()).toBe(call === 'bye' ? 'resolved' : 'rejected CRYPTO_FAILURE');
      expect(session.closeInfo?.origin).toBe('local');
      expect(line.log).toEqual([]);
      expect(time.actions).toEqual([]);
    }
  });
});

const wipesLogged = (onWipe: () => void): CryptoProvider => ({
  ...nodeCrypto,
  aead(suite, key) {
    const aead = nodeCrypto.aead(suite, key);
    return {
      seal: (...of) => aead.seal(...of),
      open: (...of) => aead.open(...of),
      wipe() {
        onWipe();
        aead.wipe();
      },
    };
  },
});
