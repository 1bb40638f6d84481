import { describe, expect, it } from '@jest/globals';
import { FIELDED_DATAGRAM_PEERS } from 'usmp-rx/testing';
import { watch } from '../session/marbles.js';
import { DEVICES, PRESETS } from './behaviours.js';
import { deliverThroughFaults, HANDSHAKE, loseHandshakeDatagrams, stallReader } from './delivery.js';
import { describeRekeying } from './rekeying.js';
import { fieldedDevice, standing } from './setting.js';
import { exchangeAtOnce, holdWholeSession, SIDES } from './whole-session.js';

const QUICK = { delayMs: 5 };
/** A round trip of 900 ms. */
const SLOW = { delayMs: 450 };

describe.each(DEVICES)('our server and a device (%s)', (_name, behaviour) => {
  it.each(SIDES)('hold a whole session, ended by BYE of %s side', async (side) => {
    await holdWholeSession(fieldedDevice, { behaviour, path: QUICK }, side);
  });

  it('send to each other at once', async () => {
    await exchangeAtOnce(fieldedDevice, { behaviour, path: QUICK });
  });

  it('come to a session whichever datagram of the handshake is lost', async () => {
    const lost = await loseHandshakeDatagrams(fieldedDevice, { behaviour });
    expect(lost).toEqual(HANDSHAKE.filter((name) => behaviour.acknowledgesHelloRetry || name !== 'UTACK HELLO_RETRY'));
  });

  it('lose nothing while our inbox is full for 2 s', async () => {
    await stallReader(fieldedDevice, { behaviour });
  });

  it('deliver everything in order at 10 % loss, 10 % duplication and 20 % reordering', async () => {
    const sessions = await deliverThroughFaults(fieldedDevice, { behaviour });
    expect(sessions).toBeLessThanOrEqual(behaviour.acknowledges === 'once-after-verification' ? 15 : 2);
  });
});

describe.each(PRESETS)('our server and a device (%s)', (_name, behaviour) => {
  it('hold a whole session with ChaCha20-Poly1305', async () => {
    await holdWholeSession(fieldedDevice, { behaviour, path: QUICK, suite: 'chacha20-poly1305' }, 'our');
  });
});

describe.each(DEVICES.filter(([, { abortsOnRepeats }]) => !abortsOnRepeats))(
  'our server and a device (%s)',
  (_name, behaviour) => {
    it.each(SIDES)('hold a whole session at a round trip of 900 ms, ended by BYE of %s side', async (side) => {
      await holdWholeSession(fieldedDevice, { behaviour, path: SLOW }, side);
    });
  },
);

describe('our server', () => {
  describeRekeying(fieldedDevice, DEVICES);

  it('can do nothing for a device whose own repeated HELLO gets it a second HELLO_RETRY, for which it gives up', async () => {
    for (const [, behaviour] of DEVICES.filter(([, { abortsOnRepeats }]) => abortsOnRepeats)) {
      const { time, ours, theirs } = await fieldedDevice({ behaviour, path: SLOW });
      await time.advance(60_000);
      expect([ours, theirs]).toEqual([[], []]);
    }
  });

  it('gives up a device that sends for longer than our five attempts and reads nothing meanwhile', async () => {
    const { esp32 } = FIELDED_DATAGRAM_PEERS;
    const setting = await fieldedDevice({ behaviour: esp32, path: QUICK });
    const { time } = setting;
    const { our, their } = await standing(setting);
    for (let n = 0; n < 2_000; n++) void their.peer.send('x');
    const sent = watch(our.session.send('y'));
    await time.advance(30_000);

    expect(sent.state()).toBe('rejected TIMEOUT_ACKNOWLEDGEMENT');
    expect(our.end?.error?.code).toBe('TIMEOUT_ACKNOWLEDGEMENT');
    expect(their.messages).toEqual([]);
    expect(setting.ours.slice(1).map(({ end }) => end)).toEqual([undefined]);
  });
});
