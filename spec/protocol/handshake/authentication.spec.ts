import { describe, expect, it } from '@jest/globals';
import {
  decodeFrame,
  encodeFrame,
  PacketType,
  SecureChannel,
  stepClientHandshake,
  stepServerHandshake,
  toHex,
  type CryptoProvider,
} from '../../../src/protocol/index.js';
import { open, pattern, sealMessage } from '../pair.js';
import { anyCrypto, PROVIDERS } from '../providers.js';
import { scriptedCrypto } from '../scripted-crypto.js';
import {
  establishedBy,
  frameInput,
  PSK,
  psksInput,
  rehearse,
  sentBy,
  summaryOf,
  type Rehearsal,
  type RehearsalOptions,
} from './rehearsal.js';

const OTHER_PSK = pattern(32, 8);
const WRONG_HMAC = 'failed AuthError AUTH_HMAC remote';
const UNKNOWN_DEVICE = 'failed AuthError AUTH_UNKNOWN_DEVICE remote';

const withChangedByte = (bytes: Uint8Array, at: number): Uint8Array => {
  const { type, seq, payload } = decodeFrame(bytes);
  return encodeFrame(type, seq, Object.assign(payload.slice(), { [at]: (payload[at] as number) ^ 0x04 }));
};
const indices = (length: number): number[] => Array.from({ length }, (_, at) => at);

const toServer = (bytes: Uint8Array, { server }: Rehearsal = rehearsal, crypto: CryptoProvider = anyCrypto) =>
  stepServerHandshake(server.ExpectHelloAck, frameInput(bytes), crypto);
const toClient = (bytes: Uint8Array, { client }: Rehearsal = rehearsal) =>
  stepClientHandshake(client.ExpectSessionOk, frameInput(bytes), anyCrypto);

const rehearsal = rehearse();

describe.each(PROVIDERS)('a genuine handshake with the provider %s', (_provider, crypto) => {
  it('gives both sides the same session id and keys, each sending with what the other receives with', () => {
    const { sessions } = rehearse({ clientCrypto: crypto, serverCrypto: crypto });
    const { client, server } = sessions;
    expect(client.sessionId).toEqual(server.sessionId);
    expect(client.deviceId).toEqual(server.deviceId);
    expect(client.keys.sending.expose()).toEqual(server.keys.receiving.expose());
    expect(client.keys.receiving.expose()).toEqual(server.keys.sending.expose());
  });

  it('stands on both sides after SESSION_OK, and messages flow', () => {
    const { sessions } = rehearse({ clientCrypto: crypto, serverCrypto: crypto });
    const client = new SecureChannel(crypto, 'chacha20-poly1305', sessions.client);
    const server = new SecureChannel(crypto, 'chacha20-poly1305', sessions.server);
    expect(open(server, sealMessage(client, pattern(10, 1))).plaintext).toEqual(pattern(10, 1));
    expect(open(client, sealMessage(server, pattern(10, 2))).plaintext).toEqual(pattern(10, 2));
  });

  it('is fresh every time', () => {
    const runs = [1, 2, 3].map(() => rehearse({ clientCrypto: crypto, serverCrypto: crypto }));
    for (const frame of ['HELLO', 'CHALLENGE', 'HELLO_ACK', 'SESSION_OK'] as const) {
      expect(new Set(runs.map(({ frames }) => toHex(frames[frame]))).size).toBe(3);
    }
    expect(new Set(runs.map(({ sessions }) => toHex(sessions.client.keys.sending.expose()))).size).toBe(3);
  });
});

describe('the proof of the client', () => {
  it('with any wrong byte is an AuthError at the server', () => {
    for (const at of indices(32)) {
      const { state, outputs } = toServer(withChangedByte(rehearsal.frames.HELLO_ACK, at));
      expect([at, state.name, summaryOf(outputs)]).toEqual([at, 'Failed', WRONG_HMAC]);
    }
  });

  it('made with another PSK is an AuthError at the server', () => {
    expect(summaryOf(proofTo({ clientPsk: OTHER_PSK }).outputs)).toBe(WRONG_HMAC);
  });

  it('made in another handshake is an AuthError at the server', () => {
    expect(summaryOf(toServer(rehearse().frames.HELLO_ACK).outputs)).toBe(WRONG_HMAC);
  });

  it('binds all of HELLO and CHALLENGE: changed on the way, in any byte, both are refused', () => {
    const { client, frames } = rehearse();
    for (const at of indices(38)) {
      const pskNeeded = stepServerHandshake(
        rehearsal.server.ExpectHello,
        frameInput(withChangedByte(frames.HELLO, at)),
        anyCrypto,
      );
      const challenge = stepServerHandshake(pskNeeded.state, psksInput(PSK), anyCrypto);
      const helloAck = stepClientHandshake(client.ExpectChallenge, frameInput(sentBy(challenge)), anyCrypto);
      const { outputs } = stepServerHandshake(challenge.state, frameInput(sentBy(helloAck)), anyCrypto);
      expect([at, summaryOf(outputs)]).toEqual([at, WRONG_HMAC]);
    }
    for (const at of indices(64)) {
      const challenge = frameInput(withChangedByte(rehearsal.frames.CHALLENGE, at));
      const helloAck = stepClientHandshake(rehearsal.client.ExpectChallenge, challenge, anyCrypto);
      expect([at, summaryOf(toServer(sentBy(helloAck)).outputs)]).toEqual([at, WRONG_HMAC]);
    }
  });
});

describe('the proof of the server', () => {
  it('with any wrong byte, the session id included, is an AuthError at the client', () => {
    for (const at of indices(48)) {
      const { state, outputs } = toClient(withChangedByte(rehearsal.frames.SESSION_OK, at));
      expect([at, state.name, summaryOf(outputs)]).toEqual([at, 'Failed', WRONG_HMAC]);
    }
  });

  it('made in another handshake is an AuthError at the client', () => {
    expect(summaryOf(toClient(rehearse().frames.SESSION_OK).outputs)).toBe(WRONG_HMAC);
  });
});

describe('a reflected handshake', () => {
  const ownProof = decodeFrame(rehearsal.frames.HELLO_ACK).payload;

  it("does not take the client's own proof as the server's, with any session id", () => {
    for (const sessionId of [
      new Uint8Array(16),
      pattern(16, 1),
      decodeFrame(rehearsal.frames.SESSION_OK).payload.slice(0, 16),
    ]) {
      const reflected = encodeFrame(PacketType.SESSION_OK, 0, Uint8Array.of(...sessionId, ...ownProof));
      expect(summaryOf(toClient(reflected).outputs)).toBe(WRONG_HMAC);
    }
  });

  it("does not take the client's own frames back", () => {
    for (const bytes of [rehearsal.frames.HELLO, rehearsal.frames.HELLO_ACK]) {
      expect(summaryOf(toClient(bytes).outputs)).toBe('failed HandshakeError HANDSHAKE_UNEXPECTED_FRAME remote');
    }
  });

  it("does not take the server's own proof as the client's", () => {
    const serverProof = decodeFrame(rehearsal.frames.SESSION_OK).payload.subarray(16);
    expect(summaryOf(toServer(encodeFrame(PacketType.HELLO_ACK, 2, serverProof)).outputs)).toBe(WRONG_HMAC);
  });
});

describe('two PSKs while one is being rotated in', () => {
  const serverPsks = [PSK, OTHER_PSK];

  it.each([
    ['the old', PSK],
    ['the new', OTHER_PSK],
  ])('%s one is accepted, and the server proves that it knows the same one', (_which, clientPsk) => {
    const { client, server } = rehearse({ clientPsk, serverPsks });
    expect([client.Established.name, server.Established.name]).toEqual(['Established', 'Established']);
  });

  it('a third one is refused', () => {
    expect(summaryOf(proofTo({ clientPsk: pattern(32, 9), serverPsks }).outputs)).toBe(WRONG_HMAC);
  });

  it('both are tried always, so that the time does not tell which one it was', () => {
    const hmacs = [PSK, OTHER_PSK].map((clientPsk) => {
      const { crypto, keys } = watchHmacs();
      const { frames, server } = rehearse({ clientPsk, serverPsks });
      establishedBy(stepServerHandshake(server.ExpectHelloAck, frameInput(frames.HELLO_ACK), crypto));
      return keys;
    });
    // Both for the client's proof, the one that it has for the server's own.
    expect(hmacs).toEqual([
      [PSK, OTHER_PSK, PSK],
      [PSK, OTHER_PSK, OTHER_PSK],
    ]);
  });
});

describe('an unknown device', () => {
  const script = { privateKeys: [pattern(32, 11)], randomBytes: [pattern(32, 12), OTHER_PSK] };

  it('gets the same bytes as a known one', () => {
    const challenges = [[PSK], []].map((psks) => {
      const crypto = scriptedCrypto(anyCrypto, script);
      return stepServerHandshake(rehearsal.server.AwaitPsk, psksInput(...psks), crypto);
    });
    const [known, unknown] = challenges.map((challenge) => toHex(sentBy(challenge)));
    expect(unknown).toBe(known);
    expect(challenges.map(({ outputs }) => summaryOf(outputs))).toEqual(['send 76', 'send 76']);
  });

  it('is let down only where a known one with a wrong proof is, and without a word either', () => {
    const refusals = [[OTHER_PSK], []].map((serverPsks) => proofTo({ clientPsk: PSK, serverPsks }).outputs);
    expect(refusals.map((outputs) => outputs.map(({ kind }) => kind))).toEqual([['failed'], ['failed']]);
    expect(refusals.map(summaryOf)).toEqual([WRONG_HMAC, UNKNOWN_DEVICE]);
  });

  it('is measured against a random PSK, as a known one with a wrong proof is against its own', () => {
    const hmacs = [[pattern(32, 9)], []].map((serverPsks) => {
      const { crypto, keys } = watchHmacs(scriptedCrypto(anyCrypto, script));
      proofTo({ clientPsk: PSK, serverPsks, serverCrypto: crypto });
      return keys;
    });
    expect(hmacs).toEqual([[pattern(32, 9)], [OTHER_PSK]]);
  });

  it('is refused even where the random PSK in place of the missing one is hit', () => {
    const serverCrypto = scriptedCrypto(anyCrypto, script);
    const { outputs } = proofTo({ clientPsk: OTHER_PSK, serverPsks: [], serverCrypto });
    expect(summaryOf(outputs)).toBe(UNKNOWN_DEVICE);
  });
});

/** What the server makes of the client's proof. */
function proofTo({ clientPsk = PSK, serverPsks = [PSK], serverCrypto = anyCrypto }: RehearsalOptions) {
  const { client } = rehearse({ clientPsk, serverPsks: [clientPsk] });
  const hello = stepClientHandshake(client.Start, { kind: 'start' }, anyCrypto);
  const pskNeeded = stepServerHandshake(rehearsal.server.ExpectHello, frameInput(sentBy(hello)), serverCrypto);
  const challenge = stepServerHandshake(pskNeeded.state, psksInput(...serverPsks), serverCrypto);
  const helloAck = stepClientHandshake(hello.state, frameInput(sentBy(challenge)), anyCrypto);
  return stepServerHandshake(challenge.state, frameInput(sentBy(helloAck)), serverCrypto);
}

/** A provider that writes down the keys of all HMACs, in order. */
function watchHmacs(base = anyCrypto): { readonly crypto: CryptoProvider; readonly keys: readonly Uint8Array[] } {
  const keys: Uint8Array[] = [];
  const crypto: CryptoProvider = {
    ...base,
    hmacSha256(key, data) {
      keys.push(key.slice());
      return base.hmacSha256(key, data);
    },
  };
  return { crypto, keys };
}
