import { describe, expect, it } from '@jest/globals';
import {
  deriveRekeyedKeys,
  parsePsk,
  Secret,
  SecureChannel,
  stepClientHandshake,
  stepServerHandshake,
  type CryptoProvider,
  type EstablishedSession,
} from '../../src/protocol/index.js';
import { frameInput, PSK, psksInput, rehearse, sentBy, type Rehearsal } from './handshake/rehearsal.js';
import { leaksOf } from './leaks.js';
import {
  CLIENT_TO_SERVER_KEY,
  clientSealer,
  establishedAs,
  pattern,
  sealRekey,
  SERVER_TO_CLIENT_KEY,
  serverOpener,
  SESSION_ID,
} from './pair.js';
import { PROVIDERS } from './providers.js';
import { scriptedCrypto } from './scripted-crypto.js';

const TEXT_PSK = 'correct horse battery staple';

describe('the search for leaks', () => {
  const secret = pattern(32, 42);

  it.each([
    ['bytes', secret],
    ['a Buffer', Buffer.from(secret)],
    ['a list of numbers', [...secret]],
    ['hexadecimal digits', Buffer.from(secret).toString('hex')],
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64url', Buffer.from(secret).toString('base64url')],
    ['upper-case digits', Buffer.from(secret).toString('hex').toUpperCase()],
    ['a part of the bytes', { deep: { down: [{ key: secret.subarray(10, 16) }] } }],
    ['an error', new Error(`key ${Buffer.from(secret).toString('hex')}`)],
  ])('finds a secret as %s', (_form, holder) => {
    expect(leaksOf(secret, { holder })).not.toEqual([]);
  });

  it('finds a text', () => {
    const bytes = new TextEncoder().encode(TEXT_PSK);
    expect(leaksOf(bytes, { message: `wrong PSK ${TEXT_PSK}` })).toEqual(['text']);
  });

  it('finds nothing where nothing is', () => {
    expect(leaksOf(secret, { key: pattern(32, 43), message: 'no secret' })).toEqual([]);
  });
});

describe('printed or made JSON of, no secret shows', () => {
  const keys = [CLIENT_TO_SERVER_KEY, SERVER_TO_CLIENT_KEY];
  const allLeaks = (secrets: readonly Uint8Array[], ...values: readonly unknown[]): string[] =>
    secrets.flatMap((secret) => values.flatMap((value) => leaksOf(secret, value)));

  it('in a Secret, nor in what holds one', () => {
    const psk = parsePsk(TEXT_PSK);
    expect(leaksOf(new TextEncoder().encode(TEXT_PSK), { psk, list: [psk], map: new Map([['psk', psk]]) })).toEqual([]);
    expect(JSON.stringify(new Secret(PSK))).toBe('{}');
  });

  it('in a session that was established', () => {
    expect(allLeaks(keys, establishedAs('client'), establishedAs('server'))).toEqual([]);
  });

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    it('in a FrameSealer or a FrameOpener', () => {
      const suite = 'aes-256-gcm';
      expect(allLeaks(keys, clientSealer(0, suite, crypto), serverOpener(0, suite, crypto))).toEqual([]);
      expect(allLeaks(keys, crypto.aead(suite, CLIENT_TO_SERVER_KEY))).toEqual([]);
    });

    it('in a SecureChannel, before, during and after a rekeying', () => {
      const salt = pattern(32, 5);
      const { keys: before } = establishedAs('client');
      const after = deriveRekeyedKeys(crypto, before, salt, SESSION_ID);
      const secrets = [...keys, after.sending.expose(), after.receiving.expose(), salt];
      const channel = new SecureChannel(
        scriptedCrypto(crypto, { randomBytes: [salt] }),
        'aes-256-gcm',
        establishedAs('client'),
      );
      expect(allLeaks(secrets, channel)).toEqual([]);
      sealRekey(channel);
      expect(channel.rekeyPending).toBe(true);
      expect(allLeaks(secrets, channel)).toEqual([]);
      channel.wipe();
      expect(allLeaks(secrets, channel)).toEqual([]);
    });

    it('in any state or output of a handshake, in either role', () => {
      const [clientKey, serverKey] = [pattern(32, 21), pattern(32, 22)];
      const { client, server, sessions } = scriptedRehearsal(crypto, clientKey, serverKey);
      const secrets = [PSK, clientKey, serverKey, ...keysOf(sessions.client)];
      expect(allLeaks(secrets, client, server, sessions)).toEqual([]);
    });

    it('in the error of a handshake that fails for the PSK', () => {
      const { client, frames } = rehearse({ clientCrypto: crypto, serverCrypto: crypto });
      const pskNeeded = stepServerHandshake(rehearse().server.ExpectHello, frameInput(frames.HELLO), crypto);
      const challenge = stepServerHandshake(pskNeeded.state, psksInput(pattern(32, 9)), crypto);
      const helloAck = stepClientHandshake(client.ExpectChallenge, frameInput(sentBy(challenge)), crypto);
      const failed = stepServerHandshake(challenge.state, frameInput(sentBy(helloAck)), crypto);
      expect(failed.state.name).toBe('Failed');
      expect(allLeaks([PSK, pattern(32, 9)], failed, helloAck)).toEqual([]);
    });
  });

  it('in the error for a PSK that is too short or of the wrong type', () => {
    const short = 'my secret word';
    for (const input of [short, { psk: short }, new TextEncoder().encode(short)]) {
      expect(
        leaksOf(
          new TextEncoder().encode(short),
          errorOf(() => parsePsk(input)),
        ),
      ).toEqual([]);
    }
  });
});

describe('a wiped Secret', () => {
  it('is zeros', () => {
    const secret = new Secret(PSK);
    secret.wipe();
    expect(secret.expose()).toEqual(new Uint8Array(32));
    expect(PSK).toEqual(pattern(32, 7));
  });
});

const scriptedRehearsal = (crypto: CryptoProvider, clientKey: Uint8Array, serverKey: Uint8Array): Rehearsal =>
  rehearse({
    clientCrypto: scriptedCrypto(crypto, { privateKeys: [clientKey] }),
    serverCrypto: scriptedCrypto(crypto, {
      privateKeys: [serverKey],
      randomBytes: [pattern(32, 23), pattern(16, 24)],
    }),
  });

const keysOf = ({ keys }: EstablishedSession): Uint8Array[] => [keys.sending.expose(), keys.receiving.expose()];

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
