import { concatBytes, encodeFrame, PacketType, utf8, type ErrorCode, type SealedType } from '../protocol/index.js';
import { MAX_CONTROL_FRAMES } from '../protocol/control-flood.js';
import type { SimulatedPeer } from './simulated-peer.js';

/** Something that a peer with a session must not do. */
export interface Misbehaviour {
  /** Does it, over a session that stands. */
  readonly run: (peer: SimulatedPeer) => void;
  /** The code of the error that ends the session of the other side. */
  readonly code: ErrorCode;
}

const { DATA, DATA_FRAG, PING, PONG, BYE, REKEY, HELLO } = PacketType;
const plaintext = utf8('plaintext');

/** Flips a bit of a whole frame, CRC included or not. */
const flipped = (frame: Uint8Array, at: number, bit = 1): Uint8Array =>
  frame.map((byte, index) => (index === at ? byte ^ bit : byte));

const within = (type: SealedType, content?: Uint8Array): Misbehaviour => ({
  run(peer) {
    peer.sendFrame({ type: DATA_FRAG, plaintext });
    peer.sendFrame({ type, ...(content && { plaintext: content }) });
  },
  code: 'CONTROL_WITHIN_MESSAGE',
});

const sends = (code: ErrorCode, bytesOf: (peer: SimulatedPeer) => Uint8Array): Misbehaviour => ({
  run: (peer) => peer.sendRaw(bytesOf(peer)),
  code,
});

const rightFrame = (peer: SimulatedPeer): Uint8Array => peer.forge({ type: DATA, plaintext });

/**
 * Everything that a peer with a session can do wrong on a byte stream, with what it gets for it (protocol.md section 8). Run
 * all of them against a pipeline of your own: each ends its session with that error and nothing else.
 */
export const MISBEHAVIOURS = {
  wrongMagic: sends('FRAME_MAGIC', (peer) => flipped(rightFrame(peer), 0)),
  wrongVersion: sends('FRAME_VERSION', (peer) => flipped(rightFrame(peer), 2)),
  unknownType: sends('FRAME_TYPE', (peer) => flipped(rightFrame(peer), 3, 0x40)),
  impossibleLength: sends('FRAME_LENGTH', (peer) => flipped(rightFrame(peer), 9, 0x10)),
  wrongCrc: sends('FRAME_CRC', (peer) => flipped(rightFrame(peer), 10)),
  tooShortToBeSealed: sends('FRAME_LENGTH', (peer) => encodeFrame(DATA, peer.nextSeq, new Uint8Array(27))),
  handshakeFrame: sends('SEQ_UNEXPECTED', () => encodeFrame(HELLO, 0, new Uint8Array(38))),
  wrongTag: sends('CRYPTO_TAG', (peer) => peer.forge({ type: DATA, plaintext, corruptTag: true })),
  wrongNonce: sends('CRYPTO_NONCE', (peer) => peer.forge({ type: DATA, plaintext, nonce: new Uint8Array(12).fill(7) })),
  skippedSequenceNumber: sends('SEQ_UNEXPECTED', (peer) =>
    peer.forge({ type: DATA, plaintext, seq: peer.nextSeq + 1 }),
  ),
  replayedFrame: sends('SEQ_UNEXPECTED', (peer) => {
    const frame = rightFrame(peer);
    return concatBytes(frame, frame);
  }),
  pingWithinMessage: within(PING),
  pongWithinMessage: within(PONG),
  byeWithinMessage: within(BYE),
  rekeyWithinMessage: within(REKEY, new Uint8Array(32)),
  fiveFragments: {
    run(peer) {
      for (let n = 0; n < 4; n++) peer.sendFrame({ type: DATA_FRAG, plaintext });
      peer.sendFrame({ type: DATA, plaintext });
    },
    code: 'TOO_MANY_FRAGMENTS',
  },
  pingWithPlaintext: sends('PAYLOAD_LENGTH', (peer) => peer.forge({ type: PING, plaintext })),
  rekeyOfWrongSize: sends('PAYLOAD_LENGTH', (peer) => peer.forge({ type: REKEY, plaintext: new Uint8Array(31) })),
  controlFlood: {
    run(peer) {
      for (let n = 0; n <= MAX_CONTROL_FRAMES; n++) peer.ping();
    },
    code: 'CONTROL_FLOOD',
  },
} as const satisfies Record<string, Misbehaviour>;
