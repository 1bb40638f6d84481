import { describe, expect, it } from '@jest/globals';
import { PacketType } from '../../src/protocol/index.js';
import { sessionInTime, watch } from './marbles.js';

/** The most control frames that a receiver saw within any second with no data between them. */
function busiestSecond(frames: readonly { readonly atMs: number; readonly type: number }[]): number {
  let run: number[] = [];
  let most = 0;
  for (const { atMs, type } of frames) {
    if (type === PacketType.DATA || type === PacketType.DATA_FRAG) run = [];
    else run = [...run.filter((time) => atMs - time < 1_000), atMs];
    most = Math.max(most, run.length);
  }
  return most;
}

function watched(options: Parameters<typeof sessionInTime>[0] = {}) {
  const { session, time } = sessionInTime(options);
  const frames: { atMs: number; type: number }[] = [];
  session.peer.frames$.subscribe(({ type }) => frames.push({ atMs: time.frame, type }));
  return { session, time, frames };
}

describe('PING and REKEY never leave in bursts', () => {
  it('however often ping is called', async () => {
    const { session, time, frames } = watched();
    let answered = 0;
    const again = (): void => void session.ping().then(() => answered++ < 100 && again());
    again();
    await time.advance(20_000);

    expect(answered).toBeGreaterThan(20);
    expect(busiestSecond(frames)).toBeLessThanOrEqual(4);
    expect(session.peer.state).toBe('open');
  });

  it('however often rekey is called, and though each takes two frames', async () => {
    const { session, time, frames } = watched();
    let done = 0;
    const again = (): void => void session.rekey().then(() => done++ < 100 && again());
    again();
    await time.advance(20_000);

    expect(done).toBeGreaterThan(10);
    expect(busiestSecond(frames)).toBeLessThanOrEqual(4);
    expect(session.peer.state).toBe('open');
  });

  it('and yet come, however busily the peer asks: answers to it take none of their places', async () => {
    const { session, time } = watched();
    const pinged = watch(session.ping());
    const rekeyed = watch(session.rekey());
    for (let n = 0; n < 20; n++) {
      session.peer.ping();
      await time.advance(300);
    }

    expect(pinged.state()).toBe('resolved 0');
    expect(rekeyed.state()).toBe('resolved');
  });

  it('whatever is mixed, while the peer asks as well', async () => {
    const { session, time, frames } = watched({ keepaliveMs: 100 });
    const pings = (): void => void session.ping().then(pings, () => {});
    const rekeys = (): void => void session.rekey().then(rekeys, () => {});
    pings();
    rekeys();
    for (let n = 0; n < 40; n++) {
      session.peer.ping();
      await time.advance(250);
    }

    expect(busiestSecond(frames)).toBeLessThanOrEqual(8);
    expect(session.peer.state).toBe('open');
  });

  it('and BYE may follow at any time', async () => {
    const { session, time, frames } = watched();
    const again = (): void => void session.ping().then(again, () => {});
    again();
    await time.advance();
    for (let n = 0; n < 4; n++) session.peer.ping();
    await time.advance();
    void session.bye();
    await time.advance();

    expect(time.frame).toBe(0);
    expect(frames.map(({ type }) => type)).toEqual([6, 6, 6, 7, 7, 7, 7, 8]);
    expect(await session.closed).toEqual({ origin: 'local' });
  });

  it('also not where a network squeezes two seconds into one', async () => {
    const { session, time } = sessionInTime();
    session.peer.stopReading();
    const again = (): void => void session.ping().then(again, () => {});
    again();
    const rekeyed = watch(session.rekey());
    await time.advance(2_000);
    session.peer.resumeReading();
    await time.advance();

    expect(rekeyed.state()).toBe('resolved');
    expect(session.peer.state).toBe('open');
  });

  it('also not with data between them, since there need be none between the answers', async () => {
    const { session, time, frames } = watched();
    const again = (): void => void session.ping().then(again, () => {});
    again();
    for (let n = 0; n < 100; n++) {
      void session.send('x');
      await time.advance(50);
    }

    expect(frames.filter(({ type }) => type === PacketType.PING).length).toBeLessThanOrEqual(9);
    expect(session.peer.state).toBe('open');
  });

  it('and automatic rekeying after very few frames loses nothing for it', async () => {
    const { session, time, frames } = watched({ rekey: { everyFrames: 2 } });
    for (let n = 0; n < 200; n++) {
      void session.send('x');
      await time.advance(50);
    }

    expect(frames.filter(({ type }) => type === PacketType.DATA)).toHaveLength(200);
    expect(frames.filter(({ type }) => type === PacketType.REKEY).length).toBeGreaterThan(3);
    expect(busiestSecond(frames)).toBeLessThanOrEqual(4);
    expect(session.peer.state).toBe('open');
  });
});

describe('ping', () => {
  it('resolves with the round trip in milliseconds', async () => {
    const { session, time } = sessionInTime({ latencyMs: 25 });
    const roundTrip = watch(session.ping());
    await time.advance(50);

    expect(roundTrip.state()).toBe('resolved 50');
  });

  it('is shared by calls while one is under way', async () => {
    const { session, time, frames } = watched({ latencyMs: 25 });
    const pings = [watch(session.ping())];
    await time.advance(10);
    pings.push(watch(session.ping()));
    await time.advance(40);

    expect(pings.map((ping) => ping.state())).toEqual(['resolved 50', 'resolved 50']);
    expect(frames).toHaveLength(1);
  });

  it('can be given up by its AbortSignal, without harm to others', async () => {
    const { session, time } = sessionInTime({ latencyMs: 25 });
    const giveUp = new AbortController();
    const pings = [watch(session.ping({ signal: giveUp.signal })), watch(session.ping())];
    giveUp.abort();
    await time.advance(50);

    expect(pings.map((ping) => ping.state())).toEqual(['rejected ABORTED', 'resolved 50']);
  });

  it('is not confused by a PONG that nobody asked for', async () => {
    const { session, time } = sessionInTime({ latencyMs: 25 });
    session.peer.sendFrame({ type: PacketType.PONG });
    await time.advance(25);
    const roundTrip = watch(session.ping());
    await time.advance(50);

    expect(roundTrip.state()).toBe('resolved 50');
  });

  it('waits for a transport that is congested', async () => {
    const { session, time, frames } = watched({ highWaterMarkBytes: 1 });
    session.peer.stopReading();
    void session.send('a');
    await time.advance();
    void session.send('b');
    const roundTrip = watch(session.ping());
    await time.advance(100);
    session.peer.resumeReading();
    await time.advance();

    expect(frames.map(({ type }) => type)).toEqual([PacketType.DATA, PacketType.PING, PacketType.DATA]);
    expect(roundTrip.state()).toBe('resolved 0');
  });

  it('of the peer is answered at once, and while it does not read at most 4 times', async () => {
    const { session, time, frames } = watched({ highWaterMarkBytes: 1 });
    session.peer.ping();
    await time.advance();
    expect(frames).toEqual([{ atMs: 0, type: PacketType.PONG }]);

    session.peer.stopReading();
    void session.send('congests');
    await time.advance();
    for (let n = 0; n < 20; n++) {
      session.peer.ping();
      session.peer.send('keeps this from being a flood');
      await time.advance();
    }
    session.peer.resumeReading();
    await time.advance();

    expect(frames.filter(({ type }) => type === PacketType.PONG)).toHaveLength(1 + 4);
    expect(session.peer.state).toBe('open');
  });

  it('that waited while we did not read is no flood, however many there are, nor are its answers', async () => {
    const { session, time, frames } = watched({ maxInboxMessages: 1 });
    session.peer.send('fills the inbox');
    await time.advance();
    for (let n = 0; n < 40; n++) {
      session.peer.ping();
      await time.advance(15_000);
    }
    await session.recv();
    await time.advance();
    expect(session.peer.state).toBe('open');
    expect(frames.map(({ type }) => type)).toEqual(Array(4).fill(PacketType.PONG));

    for (let n = 0; n < 5_000; n++) session.peer.ping();
    await time.advance();
    expect(await session.closed).toMatchObject({ error: { code: 'CONTROL_FLOOD' } });
  });

  it('that are not answered are forgotten after a minute, and more than 8 at once', async () => {
    const { session, time } = sessionInTime({ keepaliveMs: 5_000, peer: { answersPings: false } });
    const roundTrips: number[] = [];
    session.events$.subscribe((event) => event.type === 'pong' && roundTrips.push(event.roundTripMs));
    for (let n = 0; n < 40; n++) {
      session.peer.send('keeps the session');
      await time.advance(5_000);
    }
    const waiting = watch(session.ping());
    for (let n = 0; n < 20; n++) {
      session.peer.sendFrame({ type: PacketType.PONG });
      session.peer.send('keeps this from being a flood');
    }
    await time.advance();

    expect(waiting.state()).toMatch(/^resolved/);
    expect(roundTrips.length).toBeLessThanOrEqual(8);
    expect(Math.max(...roundTrips.slice(1), 0)).toBeLessThanOrEqual(60_000);
  });
});
