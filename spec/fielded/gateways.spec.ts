import { describe, expect, it } from '@jest/globals';
import { GATEWAYS, PRESETS } from './behaviours.js';
import { deliverThroughFaults, HANDSHAKE, loseHandshakeDatagrams, stallReader } from './delivery.js';
import { describeRekeying } from './rekeying.js';
import { fieldedGateway } from './setting.js';
import { exchangeAtOnce, holdWholeSession, SIDES } from './whole-session.js';

const QUICK = { delayMs: 5 };
/** A round trip of 900 ms. */
const SLOW = { delayMs: 450 };

describe.each(GATEWAYS)('our client and a gateway (%s)', (_name, behaviour) => {
  it.each(SIDES)('hold a whole session, ended by BYE of %s side', async (side) => {
    await holdWholeSession(fieldedGateway, { behaviour, path: QUICK }, side);
  });

  it.each(SIDES)('hold one that began without a cookie, ended by BYE of %s side', async (side) => {
    await holdWholeSession(fieldedGateway, { behaviour, path: QUICK, asksForCookie: false }, side);
  });

  it.each(SIDES)('hold one at a round trip of 900 ms, ended by BYE of %s side', async (side) => {
    await holdWholeSession(fieldedGateway, { behaviour, path: SLOW }, side);
  });

  it('send to each other at once', async () => {
    await exchangeAtOnce(fieldedGateway, { behaviour, path: QUICK });
  });

  it.each([true, false])(
    'come to a session whichever datagram of the handshake is lost (cookie: %s)',
    async (asksForCookie) => {
      const lost = await loseHandshakeDatagrams(fieldedGateway, { behaviour, asksForCookie });
      const neverSent = asksForCookie ? ['UTACK HELLO_RETRY'] : ['HELLO_RETRY', 'UTACK HELLO_RETRY'];
      expect(lost).toEqual(HANDSHAKE.filter((name) => !neverSent.includes(name)));
    },
  );

  it('lose nothing while our inbox is full for 2 s', async () => {
    await stallReader(fieldedGateway, { behaviour });
  });

  it('deliver everything in order at 10 % loss, 10 % duplication and 20 % reordering', async () => {
    const sessions = await deliverThroughFaults(fieldedGateway, { behaviour });
    expect(sessions).toBeLessThanOrEqual(behaviour.acknowledges === 'once-after-verification' ? 15 : 2);
  });
});

describe.each(PRESETS)('our client and a gateway (%s)', (_name, behaviour) => {
  it('hold a whole session with ChaCha20-Poly1305', async () => {
    await holdWholeSession(fieldedGateway, { behaviour, path: QUICK, suite: 'chacha20-poly1305' }, 'our');
  });
});

describe('our client', () => {
  describeRekeying(fieldedGateway, GATEWAYS);
});
