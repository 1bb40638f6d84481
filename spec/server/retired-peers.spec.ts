import { describe, expect, it } from '@jest/globals';
import { VirtualTime } from 'usmp-rx/testing';
import { RetiredPeers } from '../../src/server/retired-peers.js';

const LAST = Uint8Array.of(1, 2, 3);
const ANSWER = Uint8Array.of(9);

describe('peers that are gone', () => {
  it('have the last datagram answered again when it is repeated byte for byte from the same address', () => {
    const retired = new RetiredPeers(new VirtualTime());
    retired.add('10.0.0.1:5', LAST, ANSWER);

    expect(retired.answerTo('10.0.0.1:5', Uint8Array.from(LAST))).toEqual(ANSWER);
    expect(retired.answerTo('10.0.0.1:6', LAST)).toBeUndefined();
    expect(retired.answerTo('10.0.0.1:5', Uint8Array.of(1, 2))).toBeUndefined();
    expect(retired.answerTo('10.0.0.1:5', Uint8Array.of(1, 2, 4))).toBeUndefined();
  });

  it('are forgotten after ten seconds', async () => {
    const time = new VirtualTime();
    const retired = new RetiredPeers(time);
    retired.add('peer', LAST, ANSWER);
    await time.advance(9_999);
    expect(retired.answerTo('peer', LAST)).toEqual(ANSWER);
    await time.advance(1);

    expect(retired.answerTo('peer', LAST)).toBeUndefined();
    expect(retired.answerTo('peer', LAST)).toBeUndefined();
  });

  it('are at most 1,000: the oldest is forgotten', () => {
    const retired = new RetiredPeers(new VirtualTime());
    for (let n = 0; n <= 1_000; n++) retired.add(`peer ${n}`, LAST, ANSWER);

    expect(retired.answerTo('peer 0', LAST)).toBeUndefined();
    expect(retired.answerTo('peer 1', LAST)).toEqual(ANSWER);
    expect(retired.answerTo('peer 1000', LAST)).toEqual(ANSWER);
  });
});
