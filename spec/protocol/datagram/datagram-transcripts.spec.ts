import { expect, it, describe } from '@jest/globals';
import {
  BETWEEN_DATAGRAM_MESSAGES,
  decodeFrame,
  PacketType,
  parseDeviceId,
  reassembleDatagrams,
  Secret,
  toHex,
  type DatagramAssembly,
  type EstablishedSession,
} from '../../../src/protocol/index.js';
import { DatagramChannel, type SealedDatagram } from '../../../src/protocol/datagram/datagram-channel.js';
import { describeVectors, fromHex } from '../../vectors.js';
import type { Role } from '../pair.js';
import { PROVIDERS } from '../providers.js';
import { scriptedCrypto } from '../scripted-crypto.js';
import { turnsOf, type Transcript, type TranscriptStep } from '../transcripts.js';
import { open, ROLES } from './datagram-pair.js';

describeVectors('transcripts.json', (transcripts: readonly Transcript[]) => {
  const overUdp = transcripts.filter(({ transport }) => transport === 'udp');

  it('holds sessions over UDP with both cipher suites, rekeyed by both sides', () => {
    expect(new Set(overUdp.map(({ cipher }) => cipher)).size).toBe(2);
    for (const { rekeys } of overUdp) expect(new Set(rekeys.map(({ initiator }) => initiator)).size).toBe(2);
  });

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    describe.each(overUdp)('$name', (transcript) => {
      it.each(ROLES)('the session is reproduced byte for byte as %s, acknowledgements included', (role) => {
        const salts = transcript.rekeys.filter(({ initiator }) => initiator === role).map(({ salt }) => fromHex(salt));
        const scripted = scriptedCrypto(crypto, { randomBytes: salts });
        const player = new Player(new DatagramChannel(scripted, transcript.cipher, establishedAs(role, transcript)));
        const afterHandshake = transcript.steps.slice(transcript.steps.findIndex(isSealed));
        for (const [at, step] of afterHandshake.entries()) {
          if (step.from === role) expect([at, player.next(afterHandshake.slice(at))]).toEqual([at, step.bytes]);
          else player.take(step);
        }
        expect(player.isDone).toBe(true);
      });
    });
  });
});

const isSealed = ({ plaintext }: TranscriptStep): boolean => plaintext !== undefined;

function establishedAs(role: Role, transcript: Transcript): EstablishedSession {
  const [clientToServer, serverToClient] = [transcript.clientToServerKey, transcript.serverToClientKey].map(
    (key) => new Secret(fromHex(key)),
  ) as [Secret, Secret];
  return {
    role,
    deviceId: parseDeviceId(transcript.deviceId),
    sessionId: fromHex(transcript.sessionId),
    keys:
      role === 'client'
        ? { sending: clientToServer, receiving: serverToClient }
        : { sending: serverToClient, receiving: clientToServer },
  };
}

/** One side of a recorded session: says what it sends, and checks what it is sent. */
class Player {
  readonly #channel: DatagramChannel;
  /** What was sealed and did not leave yet. */
  #sealed: SealedDatagram[] = [];
  #outstanding: SealedDatagram | undefined;
  #acknowledgement: Uint8Array | undefined;
  #assembly: DatagramAssembly = BETWEEN_DATAGRAM_MESSAGES;

  constructor(channel: DatagramChannel) {
    this.#channel = channel;
  }

  get isDone(): boolean {
    return this.#sealed.length === 0 && !this.#outstanding && !this.#acknowledgement && !this.#channel.rekeyPending;
  }

  /** The next datagram that this side sends, in hexadecimal; `steps` are what is recorded from here on. */
  next(steps: readonly TranscriptStep[]): string {
    if (steps[0]?.what === 'UTACK') {
      const acknowledgement = this.#acknowledgement;
      this.#acknowledgement = undefined;
      return acknowledgement ? toHex(acknowledgement) : 'nothing to acknowledge';
    }
    if (this.#outstanding) return 'nothing while a frame is outstanding';
    if (this.#sealed.length === 0) this.#sealed = [...this.#seal(steps.filter(({ what }) => what !== 'UTACK'))];
    this.#outstanding = this.#sealed.shift();
    return toHex(this.#outstanding!.datagram);
  }

  take(step: TranscriptStep): void {
    if (step.what === 'UTACK') return this.#takeAcknowledgement(step.bytes);
    const datagram = fromHex(step.bytes);
    const opened = open(this.#channel, datagram);
    if (opened.outcome !== 'taken') throw new Error(`${step.what} was ${opened.outcome}`);
    this.#acknowledgement = opened.acknowledgement;
    // A salt is the channel's own business and does not leave it.
    expect(toHex(opened.frame.plaintext)).toBe(step.what === 'REKEY' ? '' : step.plaintext);
    expect(opened.frame.rekeyedBy.includes('remote')).toBe(step.what === 'REKEY');
    expect(opened.frame.inSequence).toBe(true);
    this.#assembly = reassembleDatagrams(this.#assembly, opened.frame);
    expect(this.#assembly.at === 'message-end' ? toHex(this.#assembly.message) : undefined).toBe(step.message);
    expect(open(this.#channel, decodeFrame(datagram).bytes)).toEqual({
      outcome: 'repeated',
      acknowledgement: opened.acknowledgement,
    });
  }

  #takeAcknowledgement(recorded: string): void {
    expect(this.#outstanding?.acknowledgements.map((expected) => toHex(expected))).toContain(recorded);
    this.#outstanding = undefined;
    this.#channel.rekeyAcknowledged();
  }

  #seal(steps: readonly TranscriptStep[]): readonly SealedDatagram[] {
    const { what, message } = turnsOf(steps)[0]!;
    if (message !== undefined) return this.#channel.sealMessage(fromHex(message));
    if (what === 'REKEY') return [this.#channel.sealRekey()];
    if (what === 'PING' || what === 'PONG' || what === 'BYE') return [this.#channel.sealControl(PacketType[what])];
    throw new Error(`${what} within a session`);
  }
}
