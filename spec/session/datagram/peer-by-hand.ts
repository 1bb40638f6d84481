import { nodeCrypto } from '../../../src/crypto/node.js';
import { isAcknowledgement, sealAcknowledgement } from '../../../src/protocol/datagram/acknowledgement.js';
import {
  concatBytes,
  decodeFrame,
  encodeFrame,
  PacketType,
  packetTypeName,
  SEAL_OVERHEAD_BYTES,
  TAG_BYTES,
  type Frame,
  type SealedType,
} from '../../../src/protocol/index.js';
import { nonceFor } from '../../../src/protocol/sealed-frame.js';
import type { DatagramSink } from '../../../src/transport/datagram.js';
import { CLIENT_TO_SERVER_KEY, SERVER_TO_CLIENT_KEY, SESSION_ID, type Role } from '../../protocol/pair.js';
import type { DatagramLine, LineEnd } from './datagram-line.js';

/** The other end of a session, which does nothing by itself but acknowledge. Its frames are authentic, whatever is in them. */
export class PeerByHand implements DatagramSink {
  /** Whether it acknowledges what comes. */
  acknowledges = true;
  /** What came, without repeats: the type and the length of the plaintext, as `DATA 5`. */
  readonly frames: string[] = [];
  readonly #end: LineEnd;
  readonly #receivingKey: Uint8Array;
  readonly #sendingKey: Uint8Array;
  #nextSeq = 0;
  readonly #taken = new Set<number>();

  constructor(role: Role, line: DatagramLine) {
    this.#end = line[role];
    const [ours, theirs] = [CLIENT_TO_SERVER_KEY, SERVER_TO_CLIENT_KEY];
    this.#sendingKey = role === 'client' ? ours : theirs;
    this.#receivingKey = role === 'client' ? theirs : ours;
    this.#end.attach(this);
  }

  /** Seals a frame with any number; one that is given does not count. */
  seal(type: SealedType, plaintext: Uint8Array = new Uint8Array(0), seq = this.#nextSeq++): Uint8Array {
    const nonce = nonceFor(SESSION_ID, seq);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    const { additionalData } = decodeFrame(encodeFrame(type, seq, concatBytes(nonce, sealed)));
    nodeCrypto.aead('aes-256-gcm', this.#sendingKey).seal(nonce, additionalData, plaintext, sealed, 0);
    return encodeFrame(type, seq, concatBytes(nonce, sealed));
  }

  /** Seals a frame and sends it, once. Returns it. */
  send(type: SealedType, plaintext?: Uint8Array, seq?: number): Uint8Array {
    const datagram = this.seal(type, plaintext, seq);
    this.sendRaw(datagram);
    return datagram;
  }

  sendRaw(datagram: Uint8Array): void {
    this.#end.send(datagram);
  }

  /** The acknowledgement of a frame of the session. */
  acknowledgementOf(datagram: Uint8Array, key = this.#receivingKey): Uint8Array {
    const { type, seq } = decodeFrame(datagram);
    return sealAcknowledgement(nodeCrypto, key, type as SealedType, seq);
  }

  /** Part of DatagramSink. */
  datagram(datagram: Uint8Array): void {
    if (isAcknowledgement(datagram)) return;
    const frame = decodeFrame(datagram);
    if (frame.type < PacketType.DATA) return;
    if (!this.#taken.has(frame.seq)) this.frames.push(`${packetTypeName(frame.type)} ${lengthIn(frame)}`);
    this.#taken.add(frame.seq);
    if (this.acknowledges) this.sendRaw(this.acknowledgementOf(datagram));
  }

  /** Part of DatagramSink. */
  end(): void {}
}

const lengthIn = ({ payload }: Frame): number => payload.length - SEAL_OVERHEAD_BYTES;
