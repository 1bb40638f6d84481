import {
  BETWEEN_DATAGRAM_MESSAGES,
  decodeFrame,
  isAcknowledgement,
  PacketType,
  reassembleDatagrams,
  type ControlType,
  type CryptoProvider,
  type DatagramAssembly,
  type ErrorOrigin,
} from '../../../src/protocol/index.js';
import { DatagramChannel, type SealedDatagram } from '../../../src/protocol/datagram/datagram-channel.js';
import { establishedAs, pattern, type Role } from '../pair.js';
import { anyCrypto } from '../providers.js';
import { SealLedger } from '../seal-ledger.js';
import { ROLES } from './datagram-pair.js';

/** Hexadecimal digits, and fast. */
export const nameOf = (datagram: Uint8Array): string => Buffer.from(datagram).toString('hex');

/** What is sealed and under way, its frames one after the other. */
interface Consignment {
  readonly frames: readonly SealedDatagram[];
  at: number;
  readonly isRekey: boolean;
}

/**
 * One end of a session as a program would run it, without time: one frame is outstanding until its acknowledgement comes. It
 * answers PING, confirms its rekeyings by PING, and starts none while one is pending.
 */
export class DatagramEnd {
  readonly channel: DatagramChannel;
  readonly sent: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  /** Whose REKEYs took effect here, in order. */
  readonly rekeyings: ErrorOrigin[] = [];
  /** Everything that moved this end, in order. */
  readonly history: string[] = [];
  /** False refuses all data, as a full inbox does. */
  hasRoom = true;
  readonly #transmit: (datagram: Uint8Array) => void;
  readonly #messages: Uint8Array[] = [];
  #controls: ControlType[] = [];
  #rekeysWanted = 0;
  #underWay: Consignment | undefined;
  #assembly: DatagramAssembly = BETWEEN_DATAGRAM_MESSAGES;

  constructor(channel: DatagramChannel, transmit: (datagram: Uint8Array) => void) {
    this.channel = channel;
    this.#transmit = transmit;
  }

  get outstanding(): Uint8Array | undefined {
    return this.#underWay?.frames[this.#underWay.at]?.datagram;
  }

  /** Whether everything that it was to send has arrived. */
  get isIdle(): boolean {
    return !this.#underWay && this.#messages.length + this.#controls.length + this.#rekeysWanted === 0;
  }

  send(message: Uint8Array): void {
    this.history.push('send');
    this.sent.push(message);
    this.#messages.push(message);
    this.#sealNext();
  }

  rekey(): void {
    this.history.push('rekey');
    this.#rekeysWanted++;
    this.#sealNext();
  }

  /** The time for the acknowledgement is over. */
  repeat(): void {
    if (this.outstanding) this.#transmit(this.outstanding);
  }

  take(datagram: Uint8Array): void {
    if (isAcknowledgement(datagram)) return this.#takeAcknowledgement(datagram);
    const frame = decodeFrame(datagram);
    const isData = frame.type === PacketType.DATA || frame.type === PacketType.DATA_FRAG;
    const opened = this.channel.open(frame, () => this.hasRoom || !isData);
    if (opened.outcome === 'dropped' || opened.outcome === 'refused') return;
    this.#transmit(opened.acknowledgement);
    if (opened.outcome === 'repeated') return;
    this.history.push(`took ${nameOf(opened.acknowledgement)}`);
    this.rekeyings.push(...opened.frame.rekeyedBy);
    this.#assembly = reassembleDatagrams(this.#assembly, opened.frame);
    if (this.#assembly.dropped) throw new Error(`a message was dropped: ${this.#assembly.dropped}`);
    if (this.#assembly.at === 'message-end') this.received.push(this.#assembly.message);
    if (frame.type === PacketType.PING) this.#controls.push(PacketType.PONG);
    if (this.#underWay?.isRekey && !this.channel.rekeyOutstanding) this.#arrived();
    this.#sealNext();
  }

  #takeAcknowledgement(datagram: Uint8Array): void {
    const frame = this.#underWay?.frames[this.#underWay.at];
    if (!frame?.acknowledgements.some((expected) => anyCrypto.equal(expected, datagram))) return;
    this.history.push('arrived');
    this.channel.rekeyAcknowledged();
    this.#arrived();
    this.#sealNext();
  }

  #arrived(): void {
    const underWay = this.#underWay!;
    underWay.at++;
    if (underWay.at === underWay.frames.length) this.#underWay = undefined;
    else this.repeat();
  }

  #sealNext(): void {
    if (this.#underWay) return;
    if (this.#rekeysWanted > 0 && !this.channel.rekeyPending) {
      this.#rekeysWanted--;
      this.#controls = [PacketType.PING, ...this.#controls];
      this.#underWay = { frames: [this.channel.sealRekey()], at: 0, isRekey: true };
    } else {
      const control = this.#controls.shift();
      const message = control === undefined ? this.#messages.shift() : undefined;
      if (control !== undefined) {
        this.#underWay = { frames: [this.channel.sealControl(control)], at: 0, isRekey: false };
      } else if (message) {
        this.#underWay = { frames: this.channel.sealMessage(message), at: 0, isRekey: false };
      }
    }
    this.repeat();
  }
}

/** Salts that depend on nothing but who draws them and how many were drawn before. */
function withSaltsOf(role: Role, crypto: CryptoProvider): CryptoProvider {
  let drawn = 0;
  return { ...crypto, randomBytes: (length) => pattern(length, 1_000 * ROLES.indexOf(role) + drawn++) };
}

/** Two ends, with every sealing in one ledger; what they transmit is handed to `carry`. */
export class DatagramEnds {
  readonly ledger = new SealLedger();
  readonly client: DatagramEnd;
  readonly server: DatagramEnd;

  constructor(carry: (from: Role, datagram: Uint8Array) => void, provider: CryptoProvider = anyCrypto) {
    const crypto = this.ledger.watch(provider);
    const end = (role: Role): DatagramEnd =>
      new DatagramEnd(new DatagramChannel(withSaltsOf(role, crypto), 'aes-256-gcm', establishedAs(role)), (datagram) =>
        carry(role, datagram),
      );
    this.client = end('client');
    this.server = end('server');
  }

  end(role: Role): DatagramEnd {
    return this[role];
  }
}
