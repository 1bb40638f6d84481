import { describe, expect, it } from '@jest/globals';
import {
  decodeFrame,
  FrameOpener,
  isSealedType,
  PacketType,
  packetTypeName,
  sealAcknowledgement,
  toHex,
  type CryptoProvider,
  type Frame,
} from '../../../src/protocol/index.js';
import type { Role } from '../../protocol/pair.js';
import { PROVIDERS } from '../../protocol/providers.js';
import type { Transcript, TranscriptStep } from '../../protocol/transcripts.js';
import { describeVectors, fromHex } from '../../vectors.js';
import { ourClient, ourServer, type OurSide } from './recorded-peer.js';

/**
 * The recorded peers send DATA after their REKEY, while ours sends a PING first (design.md, "Rekeying without losing anything").
 * So from a REKEY of ours to the next one of the peer our sequence numbers are one ahead of the recorded ones, and what we send
 * there is compared by type, number and plaintext; everything else, acknowledgements included, byte for byte.
 */
describeVectors('transcripts.json', (transcripts: readonly Transcript[]) => {
  const overUdp = transcripts.filter(({ transport }) => transport === 'udp');

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    describe.each(overUdp)('$name', (transcript) => {
      it('is reproduced by UsmpClient, HELLO to BYE', async () => {
        await new Replay('client', transcript, ourClient(transcript, crypto), crypto).run();
      });

      it('is reproduced by UsmpServer, HELLO_RETRY to the acknowledgement of BYE', async () => {
        await new Replay('server', transcript, await ourServer(transcript, crypto), crypto).run();
      });
    });
  });
});

/** Plays the peer's datagrams, has our side do what it did in the recording, and compares what it sends, in order. */
class Replay {
  readonly #role: Role;
  readonly #transcript: Transcript;
  readonly #ours: OurSide;
  readonly #crypto: CryptoProvider;
  readonly #done: Promise<unknown>[] = [];
  readonly #messages: string[] = [];
  #rekeys = 0;
  /** Whether our numbers are one ahead of the recorded ones, and how our frames under these keys open. */
  #ahead: FrameOpener | undefined;
  /** What we sent last, to be acknowledged. */
  #last: Frame | undefined;

  constructor(role: Role, transcript: Transcript, ours: OurSide, crypto: CryptoProvider) {
    this.#role = role;
    this.#transcript = transcript;
    this.#ours = ours;
    this.#crypto = crypto;
  }

  async run(): Promise<void> {
    const { steps } = this.#transcript;
    this.#ours.start();
    for (const [at, step] of steps.entries()) {
      await this.#ours.time.advance();
      if (step.from !== this.#role) await this.#play(step);
      else if (step.what === 'UTACK') expect([at, this.#ours.sent.shift()]).toEqual([at, step.bytes]);
      else await this.#expectSent(at);
      if (step.what === 'SESSION_OK') this.#ours.session().messages$.subscribe((m) => this.#messages.push(toHex(m)));
    }
    await this.#expectEnd();
  }

  async #play({ what, bytes }: TranscriptStep): Promise<void> {
    if (what === 'REKEY') this.#ahead = undefined;
    if (what === 'REKEY') this.#rekeys++;
    const isShifted = what === 'UTACK' && this.#ahead !== undefined && this.#last!.type !== PacketType.REKEY;
    this.#ours.deliver(isShifted ? this.#acknowledgement() : fromHex(bytes));
    await this.#ours.time.advance();
    if (what === 'UTACK' && this.#last?.type === PacketType.REKEY) await this.#expectPing();
  }

  /** The frame of the recorded step, which is sent by itself or because we ask for it. */
  async #expectSent(at: number): Promise<void> {
    const { what, bytes, plaintext } = this.#transcript.steps[at]!;
    if (this.#ours.sent.length === 0) {
      this.#act(at);
      await this.#ours.time.advance();
    }
    const sent = this.#ours.sent.shift() ?? 'nothing';
    this.#last = this.#ahead ? this.#openSent(sent, what, plaintext ?? '') : decodeFrame(fromHex(sent));
    if (this.#ahead) expect(this.#last.seq).toBe(decodeFrame(fromHex(bytes)).seq + 1);
    else expect([at, sent]).toEqual([at, bytes]);
    if (what === 'REKEY') this.#ahead = this.#openerOf(this.#rekeys++);
  }

  /** Ours alone: it gets a frame under the new keys from any peer. */
  async #expectPing(): Promise<void> {
    expect(this.#ours.sent).toHaveLength(1);
    this.#last = this.#openSent(this.#ours.sent.shift()!, 'PING', '');
    expect(this.#last.seq).toBe(0);
    this.#ours.deliver(this.#acknowledgement());
    await this.#ours.time.advance();
  }

  #openSent(sent: string, what: string, plaintext: string): Frame {
    const frame = decodeFrame(fromHex(sent));
    expect([packetTypeName(frame.type), toHex(this.#ahead!.open(frame))]).toEqual([what, plaintext]);
    return frame;
  }

  /** The peer's, of what we sent last, under the key of the latest rekeying. */
  #acknowledgement(): Uint8Array {
    const { type, seq } = this.#last!;
    if (!isSealedType(type)) throw new Error(`${packetTypeName(type)} within a session`);
    return sealAcknowledgement(this.#crypto, this.#keyOf(this.#rekeys - 1), type, seq);
  }

  #act(at: number): void {
    const { what } = this.#transcript.steps[at]!;
    const session = this.#ours.session();
    if (what === 'PING') this.#done.push(session.ping());
    else if (what === 'REKEY') this.#done.push(session.rekey());
    else if (what === 'BYE') this.#done.push(this.#ours.close());
    else this.#done.push(session.send(fromHex(this.#messageAt(at))));
  }

  /** The whole message whose first frame is recorded there. */
  #messageAt(at: number): string {
    const ends = this.#transcript.steps
      .slice(at)
      .find(({ from, message }) => from === this.#role && message !== undefined);
    if (ends?.message === undefined) throw new Error('no message begins here');
    return ends.message;
  }

  async #expectEnd(): Promise<void> {
    await this.#ours.time.advance();
    const recorded = this.#transcript.steps.filter(({ from, message }) => from !== this.#role && message !== undefined);
    expect(this.#messages).toEqual(recorded.map(({ message }) => message));
    // Every send, ping and rekey has come to its end, and nothing is sent that is not recorded.
    await Promise.all(this.#done);
    expect(await this.#ours.session().closed).toEqual({ origin: this.#role === 'client' ? 'local' : 'remote' });
    await this.#ours.time.advance(10_000);
    expect(this.#ours.sent).toEqual([]);
    await this.#ours.close();
  }

  #openerOf(rekey: number): FrameOpener {
    const aead = this.#crypto.aead(this.#transcript.cipher, this.#keyOf(rekey));
    return new FrameOpener(aead, fromHex(this.#transcript.sessionId));
  }

  /** Our sending key after this rekeying. */
  #keyOf(rekey: number): Uint8Array {
    const { clientToServerKey, serverToClientKey } = this.#transcript.rekeys[rekey]!;
    return fromHex(this.#role === 'client' ? clientToServerKey : serverToClientKey);
  }
}
