import { describe, expect, it } from '@jest/globals';
import { encodeFrame, PacketType } from '../../src/protocol/index.js';
import { MISBEHAVIOURS, type Misbehaviour } from '../../src/testing/index.js';
import { sessionInTime, watch } from './marbles.js';

const errorFrame = (payload: Uint8Array): Uint8Array => encodeFrame(PacketType.ERROR, 0, payload);

describe.each(Object.entries<Misbehaviour>(MISBEHAVIOURS))('a peer with %s', (_, { run, code }) => {
  it.each([Number.POSITIVE_INFINITY, 1, 7])(
    `gets ${code}, after the messages before it, in chunks of %p bytes`,
    async (chunkBytes) => {
      const { session, time } = sessionInTime({ chunkBytes });
      const events: string[] = [];
      session.events$.subscribe(({ type }) => events.push(type));
      session.peer.send('before');
      await time.advance();
      run(session.peer);
      await time.advance();

      expect(await session.closed).toMatchObject({ origin: 'remote', error: { code } });
      expect(events.filter((type) => type === 'message').length).toBeGreaterThanOrEqual(1);
      expect(events.at(-1)).toBe('closed');
      expect(session.peer.state).toBe('closed');
    },
  );

  it('gets nothing delivered of what it sends after it', async () => {
    const { session, time } = sessionInTime();
    const messages: number[] = [];
    session.messages$.subscribe({ next: ({ length }) => messages.push(length), error: () => {} });
    run(session.peer);
    session.peer.send(new Uint8Array(77));
    await time.advance();

    expect(messages).not.toContain(77);
  });

  it('disturbs no other session', async () => {
    const [bad, good] = [sessionInTime(), sessionInTime()];
    run(bad.session.peer);
    const sent = watch(good.session.send('x'));
    good.session.peer.send('y');
    await Promise.all([bad.time.advance(), good.time.advance()]);

    expect(sent.state()).toBe('resolved');
    expect(await good.session.recv()).toEqual(Uint8Array.of(121));
  });
});

describe('a peer', () => {
  it('that dribbles one byte at a time is understood', async () => {
    const { session, time } = sessionInTime({ chunkBytes: 1 });
    session.peer.send(new Uint8Array(1_808));
    session.peer.ping();
    session.peer.send('x');
    await time.advance();

    expect((await session.recv()).length).toBe(1_808);
    expect((await session.recv()).length).toBe(1);
  });

  it('that is cut off at any byte of a fragmented message leaves CLOSED_WITHOUT_BYE and no part of it', async () => {
    const whole = 1_808 + 4 * 40;
    for (let length = 0; length < whole; length += length < 60 || length > whole - 60 ? 1 : 13) {
      const { session, time } = sessionInTime();
      const bytes = new Uint8Array(whole);
      let at = 0;
      for (let n = 0; n < 4; n++) {
        const frame = session.peer.forge({ type: n < 3 ? 9 : 5, plaintext: new Uint8Array(452) });
        bytes.set(frame, at);
        at += frame.length;
      }
      session.peer.sendRaw(bytes.subarray(0, length));
      session.peer.end();
      await time.advance();

      await expect(session.recv()).rejects.toMatchObject({ cause: { code: 'CLOSED_WITHOUT_BYE' } });
    }
  });

  it('that sends ERROR changes nothing', async () => {
    const { session, time } = sessionInTime();
    const events: object[] = [];
    session.events$.subscribe((event) => events.push(event));
    session.peer.sendRaw(errorFrame(Uint8Array.of(2, 0, 0)));
    session.peer.sendRaw(errorFrame(new Uint8Array(0)));
    await time.advance();
    session.peer.send('x');
    await time.advance();

    expect(events.slice(0, 2)).toEqual([
      { type: 'dropped', reason: 'error-frame' },
      { type: 'dropped', reason: 'error-frame' },
    ]);
    expect(await session.recv()).toEqual(Uint8Array.of(120));
  });

  it('that sends ERROR in the middle of a message changes nothing either', async () => {
    const { session, time } = sessionInTime();
    session.peer.sendFrame({ type: 9, plaintext: new Uint8Array(452) });
    session.peer.sendRaw(errorFrame(Uint8Array.of(1, 0, 0)));
    session.peer.sendFrame({ type: 5, plaintext: new Uint8Array(1) });
    await time.advance();

    expect((await session.recv()).length).toBe(453);
  });

  it('that sends data between its control frames may send many', async () => {
    const { session, time } = sessionInTime();
    for (let n = 0; n < 50; n++) {
      for (let ping = 0; ping < 8; ping++) session.peer.sendFrame({ type: 7 });
      session.peer.send('x');
    }
    await time.advance();

    expect(session.peer.state).toBe('open');
  });
});
