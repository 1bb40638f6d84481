import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../src/crypto/node.js';
import {
  CryptoError,
  PacketType,
  packetTypeName,
  type CryptoProvider,
  type PacketTypeName,
} from '../../src/protocol/index.js';
import { text } from '../../src/testing/index.js';
import { pattern } from '../protocol/pair.js';
import { marbles, sessionInTime, watch } from './marbles.js';
import { sessionPair } from './session-pair.js';

describe('send', () => {
  it('delivers messages of every length around the limits of a frame, whole and in order', async () => {
    const { client, server, time } = sessionPair({ chunkBytes: 333 });
    const lengths = [0, 1, 451, 452, 453, 903, 904, 905, 1355, 1356, 1357, 1807, 1808];
    const received: Uint8Array[] = [];
    server.messages$.subscribe((message) => received.push(message));
    for (const length of lengths) void client.send(pattern(length, length));
    await time.advance();

    expect(received).toEqual(lengths.map((length) => pattern(length, length)));
  });

  it('sends a text as its UTF-8 bytes', async () => {
    const { session, time } = sessionInTime();
    const received: string[] = [];
    session.peer.messages$.subscribe((message) => received.push(text(message)));
    void session.send('20 °C ✓');
    await time.advance();

    expect(received).toEqual(['20 °C ✓']);
  });

  it('starts at once: what happens to the array after the call does not matter', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    const received: string[] = [];
    session.peer.messages$.subscribe((message) => received.push(text(message)));
    session.peer.stopReading();
    const message = Uint8Array.of(97);
    void session.send(message);
    message.fill(98);
    await time.advance();
    void session.send(message);
    message.fill(99);
    session.peer.resumeReading();
    await time.advance();

    expect(received).toEqual(['a', 'b']);
  });

  it('takes no virtual time without latency', () => {
    marbles(({ session: open, at, expectObservable }) => {
      const session = open();
      at(5, () => void session.send('a'));
      expectObservable(session.peer.messages$).toBe('-----a');
    });
  });

  it.each<[string, unknown, string]>([
    ['1,809 bytes', new Uint8Array(1_809), 'PAYLOAD_TOO_LARGE'],
    ['a text of more than 1,808 bytes', '°'.repeat(905), 'PAYLOAD_TOO_LARGE'],
    ['a number', 42, 'PAYLOAD_TYPE'],
    ['an array', [1, 2], 'PAYLOAD_TYPE'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'PAYLOAD_TYPE'],
    ['nothing', undefined, 'PAYLOAD_TYPE'],
  ])('refuses %s with PayloadError, sends nothing, and the session lives', async (_, message, code) => {
    const { session, time } = sessionInTime();
    const frames: PacketTypeName[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(packetTypeName(type) as PacketTypeName));
    await expect(session.send(message as string)).rejects.toMatchObject({
      name: 'PayloadError',
      code,
      origin: 'local',
    });
    void session.send('next');
    await time.advance();

    expect(frames).toEqual(['DATA']);
    expect(session.peer.state).toBe('open');
  });

  it('never mixes the fragments of messages, nor lets a control frame between them', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 3_000 });
    const frames: number[] = [];
    const messages: number[] = [];
    session.peer.frames$.subscribe(({ type }) => frames.push(type));
    session.peer.messages$.subscribe((message) => messages.push(message.length));
    for (let n = 0; n < 20; n++) {
      void session.send(new Uint8Array(1_808 - n));
      void session.send('short');
      if (n % 5 === 0) session.peer.ping();
      if (n === 7) void session.ping();
      if (n === 11) void session.rekey();
      if (n % 3 === 0) await time.advance();
    }
    await time.advance(10_000);

    expect(messages).toEqual(Array.from({ length: 20 }, (_, n) => [1_808 - n, 5]).flat());
    expect(session.peer.state).toBe('open');
    const withoutControls = frames.filter((type) => type === PacketType.DATA || type === PacketType.DATA_FRAG);
    expect(withoutControls).toHaveLength(20 * 5);
    frames.forEach((type, at) => {
      if (type === PacketType.DATA_FRAG) expect([PacketType.DATA, PacketType.DATA_FRAG]).toContain(frames[at + 1]);
    });
  });

  it('resolves when the transport has taken the message below its high-water mark', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 100 });
    session.peer.stopReading();
    const first = watch(session.send('below'));
    await time.advance();
    const second = watch(session.send(new Uint8Array(100)));
    await time.advance();
    const third = watch(session.send('queued'));
    await time.advance(1_000);
    expect([first.state(), second.state(), third.state()]).toEqual(['resolved', 'pending', 'pending']);

    session.peer.resumeReading();
    await time.advance();
    expect([first.state(), second.state(), third.state()]).toEqual(['resolved', 'resolved', 'resolved']);
  });
});

describe('a crypto provider that fails', () => {
  it('ends the session with its error, since what was sealed half cannot be taken back', async () => {
    let fails = false;
    const failure = new CryptoError('CRYPTO_FAILURE', 'sealing failed', { origin: 'local' });
    const crypto: CryptoProvider = {
      ...nodeCrypto,
      aead(suite, key) {
        const aead = nodeCrypto.aead(suite, key);
        return {
          seal(...parts) {
            if (fails) throw failure;
            aead.seal(...parts);
          },
          open: (...parts) => aead.open(...parts),
          wipe: () => aead.wipe(),
        };
      },
    };
    const { client, server, time } = sessionPair({ crypto });
    const before = watch(client.send('sealed before'));
    fails = true;
    const sent = watch(client.send('x'));
    await time.advance();

    expect([before.state(), sent.state()]).toEqual(['rejected CRYPTO_FAILURE', 'rejected CRYPTO_FAILURE']);
    expect(client.closeInfo).toEqual({ origin: 'local', error: failure });
    expect(server.closeInfo).toMatchObject({ origin: 'remote', error: { code: 'CLOSED_WITHOUT_BYE' } });
  });
});

describe('a peer that stops reading', () => {
  it('ends the session with TimeoutError TIMEOUT_SEND after sendTimeoutMs', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, sendTimeoutMs: 30_000 });
    session.peer.stopReading();
    const sent = watch(session.send('a'));
    await time.advance();
    const queued = watch(session.send('b'));
    await time.advance(29_999);
    expect([sent.state(), queued.state()]).toEqual(['pending', 'pending']);
    await time.advance(1);

    expect([sent.state(), queued.state()]).toEqual(['rejected TIMEOUT_SEND', 'rejected CLOSED_BEFORE_SEND']);
    expect(await session.closed).toMatchObject({
      origin: 'remote',
      error: { name: 'TimeoutError', code: 'TIMEOUT_SEND' },
    });
  });

  it('has its time anew whenever it has read', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, sendTimeoutMs: 1_000 });
    for (let n = 0; n < 5; n++) {
      session.peer.stopReading();
      void session.send('a');
      await time.advance(900);
      session.peer.resumeReading();
      await time.advance();
    }

    expect(session.peer.state).toBe('open');
  });

  it('makes sends fail with OUTBOX_FULL above maxOutboxBytes, and only those', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, maxOutboxBytes: 1_000 });
    const received: number[] = [];
    session.peer.messages$.subscribe((message) => received.push(message.length));
    session.peer.stopReading();
    void session.send(new Uint8Array(1));
    await time.advance();
    const sends = [600, 500, 400, 1].map((length) => watch(session.send(new Uint8Array(length))));
    await time.advance();
    session.peer.resumeReading();
    await time.advance();

    expect(sends.map((send) => send.state())).toEqual([
      'resolved',
      'rejected OUTBOX_FULL',
      'resolved',
      'rejected OUTBOX_FULL',
    ]);
    expect(received).toEqual([1, 600, 400]);
    expect(session.peer.state).toBe('open');
  });

  it('leaves messages that can be taken back by their AbortSignal, and room for others', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1, maxOutboxBytes: 10 });
    const received: string[] = [];
    session.peer.messages$.subscribe((message) => received.push(text(message)));
    session.peer.stopReading();
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const sealed = watch(session.send('sealed', { signal }));
    await time.advance();
    const queued = watch(session.send('ten bytes!', { signal }));
    giveUp.abort();
    const next = watch(session.send('next'));
    session.peer.resumeReading();
    await time.advance();

    expect([sealed.state(), queued.state(), next.state()]).toEqual([
      'rejected ABORTED',
      'rejected ABORTED',
      'resolved',
    ]);
    expect(received).toEqual(['sealed', 'next']);
  });

  it('does not seal what it does not read: a message that is taken back costs no sequence number', async () => {
    const { session, time } = sessionInTime({ highWaterMarkBytes: 1 });
    session.peer.stopReading();
    void session.send('a');
    await time.advance();
    const giveUp = new AbortController();
    void session.send('b', giveUp);
    giveUp.abort();
    session.peer.resumeReading();
    void session.send('c');
    await time.advance();

    expect(session.peer.state).toBe('open');
  });

  it('is not sent a message whose signal was aborted before', async () => {
    const { session, time } = sessionInTime();
    let messages = 0;
    session.peer.messages$.subscribe(() => messages++);
    await expect(session.send('x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await time.advance();

    expect(messages).toBe(0);
  });
});
