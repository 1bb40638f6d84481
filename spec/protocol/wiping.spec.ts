import { describe, expect, it } from '@jest/globals';
import { decodeFrame, encodeFrame, PacketType, SecureChannel } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { ALL_TYPES } from './arbitraries.js';
import { channelPair, establishedAs, open, sealControl, sealMessage, sealRekey } from './pair.js';
import { anyCrypto } from './providers.js';
import { watchWipes } from './watch-wipes.js';

const NOTHING = new Uint8Array(0);

describe('a wiped session', () => {
  const wiped = (channel: SecureChannel): SecureChannel => {
    channel.wipe();
    channel.wipe();
    return channel;
  };

  it('neither seals nor opens', () => {
    const sealed = sealMessage(channelPair().client, NOTHING);
    const calls: readonly ((channel: SecureChannel) => unknown)[] = [
      (channel) => sealMessage(channel, NOTHING),
      (channel) => sealControl(channel, PacketType.BYE),
      sealRekey,
      (channel) => open(channel, sealed),
      ...ALL_TYPES.map((type) => (channel: SecureChannel) => channel.open(decodeFrame(encodeFrame(type, 0, NOTHING)))),
    ];
    for (const call of calls) {
      expect(failureOf(() => call(wiped(channelPair().server)))).toBe('InvalidStateError WRONG_STATE local');
    }
  });

  it('has overwritten its keys', () => {
    const established = establishedAs('client');
    wiped(new SecureChannel(anyCrypto, 'aes-256-gcm', established));
    expect(established.keys.sending.expose()).toEqual(new Uint8Array(32));
    expect(established.keys.receiving.expose()).toEqual(new Uint8Array(32));
  });

  it('has wiped every key that it ever used and its AEAD, wherever rekeying stood', () => {
    const stages: Readonly<Record<string, (pair: ReturnType<typeof channelPair>) => void>> = {
      settled: () => undefined,
      pending: ({ client }) => void sealRekey(client),
      confirmed: ({ client, server }) => {
        open(server, sealRekey(client));
        open(client, sealMessage(server, NOTHING));
      },
      crossing: ({ client, server }) => {
        const [fromClient, fromServer] = [sealRekey(client), sealRekey(server)];
        open(client, fromServer);
        open(server, fromClient);
      },
    };
    for (const [stage, rekey] of Object.entries(stages)) {
      const watch = watchWipes();
      const pair = channelPair(watch.crypto);
      rekey(pair);
      wiped(pair.client);
      wiped(pair.server);
      expect([stage, watch.unwiped()]).toEqual([stage, { aeads: 0, keys: 0 }]);
    }
  });
});
