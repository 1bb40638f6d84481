import { describe, expect, it } from '@jest/globals';
import {
  BETWEEN_MESSAGES,
  clientHandshake,
  decodeFrame,
  deriveRekeyedKeys,
  deriveSessionKeys,
  FrameOpener,
  isSealedType,
  PacketType,
  parseDeviceId,
  reassemble,
  Secret,
  SecureChannel,
  serverHandshake,
  stepClientHandshake,
  stepServerHandshake,
  swapDirections,
  toHex,
  type Assembly,
  type CryptoProvider,
  type DirectionKeys,
  type EstablishedSession,
  type PacketTypeName,
} from '../../src/protocol/index.js';
import { describeVectors, fromHex } from '../vectors.js';
import { establishedBy, frameInput, psksInput, sentBy } from './handshake/rehearsal.js';
import { framesOf, open, sealControl, sealMessage, sealRekey, type Role } from './pair.js';
import { PROVIDERS } from './providers.js';
import { scriptedCrypto } from './scripted-crypto.js';
import { turnsOf, type Transcript, type Turn } from './transcripts.js';

const ROLES: readonly Role[] = ['client', 'server'];

describeVectors('transcripts.json', (transcripts: readonly Transcript[]) => {
  const overTcp = transcripts.filter(({ transport }) => transport === 'tcp');

  it('holds sessions over TCP with both cipher suites, rekeying included', () => {
    expect(new Set(overTcp.map(({ cipher }) => cipher)).size).toBe(2);
    expect(overTcp.every(({ rekeys }) => rekeys.length > 0)).toBe(true);
  });

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    describe.each(overTcp)('$name', (transcript) => {
      it.each(ROLES)('is reproduced byte for byte as %s', (role) => {
        const [handshake, session] = splitAtSession(turnsOf(transcript.steps));
        const scripted = scriptedCrypto(crypto, scriptFor(transcript, role));
        const run = role === 'client' ? runClientHandshake : runServerHandshake;
        const established = run(transcript, handshake, scripted);
        expectKeys(established, transcript);
        runSession(new SecureChannel(scripted, transcript.cipher, established), role, session);
      });
    });

    it.each(transcripts)('$name: the key schedule gives the recorded keys', (transcript) => {
      for (const role of ROLES) {
        const ownPrivateKey = role === 'client' ? transcript.clientPrivateKey : transcript.serverPrivateKey;
        const peerPublicKey = role === 'client' ? transcript.serverPublicKey : transcript.clientPublicKey;
        const shared = crypto.keyPairFrom(fromHex(ownPrivateKey)).agree(fromHex(peerPublicKey));
        let keys = deriveSessionKeys(crypto, role, shared, handshakeTranscript(transcript));
        expect(digitsOf(keys, role)).toEqual(digitsIn(transcript));
        for (const rekey of transcript.rekeys) {
          const asInitiator = rekey.initiator === role ? keys : swapDirections(keys);
          const after = deriveRekeyedKeys(crypto, asInitiator, fromHex(rekey.salt), fromHex(transcript.sessionId));
          keys = rekey.initiator === role ? after : swapDirections(after);
          expect(digitsOf(keys, role)).toEqual(digitsIn(rekey));
        }
      }
    });

    it.each(transcripts)('$name: every frame decodes and every sealed one opens', (transcript) => {
      const keyEpochs = [transcript, ...transcript.rekeys].values();
      const nextOpeners = (): Record<Role, FrameOpener> => {
        const keys = keyEpochs.next().value as Transcript;
        const opener = (key: string) =>
          new FrameOpener(crypto.aead(transcript.cipher, fromHex(key)), fromHex(transcript.sessionId));
        return { client: opener(keys.clientToServerKey), server: opener(keys.serverToClientKey) };
      };
      let openers = nextOpeners();
      for (const { from, what, bytes, plaintext } of transcript.steps) {
        if (what === 'UTACK') continue;
        const frame = decodeFrame(fromHex(bytes));
        expect(frame.type).toBe(PacketType[what as PacketTypeName]);
        expect(isSealedType(frame.type)).toBe(plaintext !== undefined);
        if (plaintext !== undefined) expect(toHex(openers[from].open(frame))).toBe(plaintext);
        if (what === 'REKEY') openers = nextOpeners();
      }
    });
  });
});

function splitAtSession(turns: readonly Turn[]): [handshake: readonly Turn[], session: readonly Turn[]] {
  const established = turns.findIndex(({ what }) => what === 'SESSION_OK') + 1;
  return [turns.slice(0, established), turns.slice(established)];
}

function scriptFor(transcript: Transcript, role: Role) {
  const salts = transcript.rekeys.filter(({ initiator }) => initiator === role).map(({ salt }) => fromHex(salt));
  return role === 'client'
    ? { privateKeys: [fromHex(transcript.clientPrivateKey)], randomBytes: salts }
    : {
        privateKeys: [fromHex(transcript.serverPrivateKey)],
        randomBytes: [fromHex(transcript.nonce), fromHex(transcript.sessionId), ...salts],
      };
}

const bytesOf = (turns: readonly Turn[], what: string): string =>
  turns.find((turn) => turn.what === what)?.steps[0]?.bytes ?? `no ${what}`;

function runClientHandshake(
  transcript: Transcript,
  turns: readonly Turn[],
  crypto: CryptoProvider,
): EstablishedSession {
  const start = clientHandshake(parseDeviceId(transcript.deviceId), new Secret(fromHex(transcript.psk)));
  const hello = stepClientHandshake(start, { kind: 'start' }, crypto);
  expect(toHex(sentBy(hello))).toBe(bytesOf(turns, 'HELLO'));
  const helloAck = stepClientHandshake(hello.state, frameInput(fromHex(bytesOf(turns, 'CHALLENGE'))), crypto);
  expect(toHex(sentBy(helloAck))).toBe(bytesOf(turns, 'HELLO_ACK'));
  return establishedBy(stepClientHandshake(helloAck.state, frameInput(fromHex(bytesOf(turns, 'SESSION_OK'))), crypto));
}

function runServerHandshake(
  transcript: Transcript,
  turns: readonly Turn[],
  crypto: CryptoProvider,
): EstablishedSession {
  const hello = stepServerHandshake(serverHandshake(), frameInput(fromHex(bytesOf(turns, 'HELLO'))), crypto);
  const deviceId = parseDeviceId(transcript.deviceId);
  expect(hello.outputs).toEqual([{ kind: 'pskNeeded', deviceId }]);
  const challenge = stepServerHandshake(hello.state, psksInput(fromHex(transcript.psk)), crypto);
  expect(toHex(sentBy(challenge))).toBe(bytesOf(turns, 'CHALLENGE'));
  const done = stepServerHandshake(challenge.state, frameInput(fromHex(bytesOf(turns, 'HELLO_ACK'))), crypto);
  expect(toHex(sentBy(done))).toBe(bytesOf(turns, 'SESSION_OK'));
  return establishedBy(done);
}

function runSession(channel: SecureChannel, role: Role, turns: readonly Turn[]): void {
  let assembly: Assembly = BETWEEN_MESSAGES;
  for (const turn of turns) {
    const recorded = turn.steps.map(({ bytes }) => bytes).join('');
    if (turn.from === role) {
      expect(toHex(sealTurn(channel, turn))).toBe(recorded);
      continue;
    }
    framesOf(fromHex(recorded)).forEach(({ bytes }, i) => {
      const received = open(channel, bytes);
      const isRekey = received.type === PacketType.REKEY;
      // A salt is the channel's own business and does not leave it.
      expect(toHex(received.plaintext)).toBe(isRekey ? '' : turn.steps[i]?.plaintext);
      expect(received.rekeyedBy.includes('remote')).toBe(isRekey);
      assembly = reassemble(assembly, received);
    });
    expect(assembly.at === 'message-end' ? toHex(assembly.message) : undefined).toBe(turn.message);
  }
  expect(channel.rekeyPending).toBe(false);
}

function sealTurn(channel: SecureChannel, { what, message }: Turn): Uint8Array {
  if (message !== undefined) return sealMessage(channel, fromHex(message));
  if (what === 'REKEY') return sealRekey(channel);
  if (what === 'PING' || what === 'PONG' || what === 'BYE') return sealControl(channel, PacketType[what]);
  throw new Error(`${what} within a session`);
}

const handshakeTranscript = (transcript: Transcript) => ({
  deviceId: parseDeviceId(transcript.deviceId),
  clientPublicKey: fromHex(transcript.clientPublicKey),
  serverPublicKey: fromHex(transcript.serverPublicKey),
  nonce: fromHex(transcript.nonce),
});

type RecordedKeys = Pick<Transcript, 'clientToServerKey' | 'serverToClientKey'>;

const digitsIn = ({ clientToServerKey, serverToClientKey }: RecordedKeys): RecordedKeys => ({
  clientToServerKey,
  serverToClientKey,
});

function digitsOf(keys: DirectionKeys, role: Role): RecordedKeys {
  const { sending, receiving } = role === 'client' ? keys : swapDirections(keys);
  return { clientToServerKey: toHex(sending.expose()), serverToClientKey: toHex(receiving.expose()) };
}

function expectKeys({ role, sessionId, deviceId, keys }: EstablishedSession, transcript: Transcript): void {
  expect(digitsOf(keys, role)).toEqual(digitsIn(transcript));
  expect(toHex(sessionId)).toBe(transcript.sessionId);
  expect(toHex(deviceId, ':')).toBe(transcript.deviceId);
}
