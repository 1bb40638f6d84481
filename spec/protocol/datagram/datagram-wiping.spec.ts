import { describe, expect, it } from '@jest/globals';
import { encodeFrame, PacketType, toHex } from '../../../src/protocol/index.js';
import { DatagramChannel } from '../../../src/protocol/datagram/datagram-channel.js';
import { failureOf } from '../../crypto/failure-of.js';
import { ALL_TYPES } from '../arbitraries.js';
import { leaksOf } from '../leaks.js';
import { CLIENT_TO_SERVER_KEY, establishedAs, SERVER_TO_CLIENT_KEY } from '../pair.js';
import { anyCrypto } from '../providers.js';
import { watchWipes } from '../watch-wipes.js';
import { datagramPair, fateOf, open, sealOne, take } from './datagram-pair.js';

const NOTHING = new Uint8Array(0);
type Pair = ReturnType<typeof datagramPair>;

/** Wherever rekeying can stand. */
const stages: Readonly<Record<string, (pair: Pair) => void>> = {
  settled: () => undefined,
  outstanding: ({ client }) => void client.sealRekey(),
  read: ({ client, server }) => void take(server, client.sealRekey().datagram),
  acknowledged: ({ client, server }) => {
    take(server, client.sealRekey().datagram);
    client.rekeyAcknowledged();
  },
  'confirmed to one': ({ client, server }) => {
    take(server, client.sealRekey().datagram);
    take(client, sealOne(server).datagram);
  },
  confirmed: ({ client, server }) => {
    take(server, client.sealRekey().datagram);
    take(client, sealOne(server).datagram);
    take(server, sealOne(client).datagram);
  },
  crossing: ({ client, server }) => {
    const [fromClient, fromServer] = [client.sealRekey(), server.sealRekey()];
    open(client, fromServer.datagram);
    take(server, fromClient.datagram);
  },
  'confirmed by another': ({ client, server }) => {
    take(server, client.sealRekey().datagram);
    client.rekeyAcknowledged();
    take(server, sealOne(client).datagram);
    take(client, server.sealRekey().datagram);
  },
};

describe('a wiped session on datagrams', () => {
  it('neither seals nor opens, and throws at nothing that comes', () => {
    const { client, server } = datagramPair();
    const { datagram } = sealOne(client);
    server.wipe();
    server.wipe();
    for (const seal of [
      () => server.sealMessage(NOTHING),
      () => server.sealControl(PacketType.BYE),
      () => server.sealRekey(),
    ]) {
      expect(failureOf(seal)).toBe('InvalidStateError WRONG_STATE local');
    }
    for (const offered of [datagram, ...ALL_TYPES.map((type) => encodeFrame(type, 0, NOTHING))]) {
      expect(fateOf(server, offered)).toBe('not-authentic');
    }
    expect(server.framesUnderKeys).toBe(0);
  });

  it('has overwritten its keys', () => {
    const established = establishedAs('client');
    new DatagramChannel(anyCrypto, 'aes-256-gcm', established).wipe();
    expect(established.keys.sending.expose()).toEqual(new Uint8Array(32));
    expect(established.keys.receiving.expose()).toEqual(new Uint8Array(32));
  });

  it.each(Object.entries(stages))('has wiped every key that it ever used and its AEAD: %s', (_stage, rekey) => {
    const watch = watchWipes();
    const pair = datagramPair(watch.crypto);
    rekey(pair);
    expect(watch.unwiped().keys).toBeGreaterThan(0);
    pair.client.wipe();
    pair.server.wipe();
    expect(watch.unwiped()).toEqual({ aeads: 0, keys: 0 });
  });

  it('has kept no key longer than its confirmation: a settled session has one for each direction', () => {
    const watch = watchWipes();
    const pair = datagramPair(watch.crypto);
    for (let round = 0; round < 5; round++) stages['confirmed']!(pair);
    expect(watch.unwiped()).toEqual({ aeads: 4, keys: 4 });
  });
});

describe('a session on datagrams', () => {
  it('shows no key where it is printed, nor does what it opens', () => {
    const { client, server } = datagramPair();
    const opened = open(server, client.sealRekey().datagram);
    for (const key of [CLIENT_TO_SERVER_KEY, SERVER_TO_CLIENT_KEY]) {
      expect([toHex(key), leaksOf(key, [client, server, opened])]).toEqual([toHex(key), []]);
    }
  });
});
