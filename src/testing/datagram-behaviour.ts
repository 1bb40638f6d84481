/** What differs between the UDP implementations in the field (protocol.md sections 7 and 9), and what the ideal one does. */
export interface DatagramBehaviour {
  /**
   * Which sealed frames it acknowledges: everything that looks like one, with the key that it receives with at that moment;
   * those whose tag is right, with the key that they were sealed with, repeats included; or the same without repeats. Handshake
   * frames are acknowledged at receipt; only `after-verification` looks at their CRC before.
   */
  readonly acknowledges: 'at-receipt' | 'after-verification' | 'once-after-verification';
  /** Of a client: whether HELLO_RETRY gets an acknowledgement. */
  readonly acknowledgesHelloRetry: boolean;
  /** Of a client: whether a second CHALLENGE or HELLO_RETRY ends its handshake. */
  readonly abortsOnRepeats: boolean;
  /**
   * What ends the repeating of a handshake frame: its acknowledgement, before which no answer is looked at; or its answer, for
   * which the first HELLO is repeated even where it is acknowledged already.
   */
  readonly handshakeGoesBy: 'acknowledgements' | 'answers';
  /** 5 waits of 500 ms, or those of section 7. */
  readonly timer: 'fixed' | 'adaptive';
  /** Otherwise it reads and acknowledges nothing while a frame of its own waits, and has room for one frame meanwhile. */
  readonly readsWhileSending: boolean;
  /**
   * Whether it forgets the old keys with a REKEY: what was sealed with them is not opened any more, acknowledgements under them
   * are not believed, and at receipt the repeat of a REKEY is acknowledged with the new key.
   */
  readonly switchKeysAtOnce: boolean;
  /** Otherwise after a REKEY too the numbers that lie 64 below the highest one ever are taken for old. */
  readonly resetsReplayMark: boolean;
}

const IDEAL: DatagramBehaviour = {
  acknowledges: 'after-verification',
  acknowledgesHelloRetry: true,
  abortsOnRepeats: false,
  handshakeGoesBy: 'answers',
  timer: 'adaptive',
  readsWhileSending: true,
  switchKeysAtOnce: false,
  resetsReplayMark: true,
};

const FIELDED: DatagramBehaviour = {
  ...IDEAL,
  acknowledges: 'at-receipt',
  handshakeGoesBy: 'acknowledgements',
  switchKeysAtOnce: true,
};

/** The UDP implementations in the field, and one without their weak places. */
export const FIELDED_DATAGRAM_PEERS = Object.freeze({
  python: { ...FIELDED, resetsReplayMark: false },
  esp32: { ...FIELDED, readsWhileSending: false },
  esp32FixedTimer: { ...FIELDED, readsWhileSending: false, timer: 'fixed' },
  posix: {
    ...FIELDED,
    acknowledges: 'once-after-verification',
    acknowledgesHelloRetry: false,
    abortsOnRepeats: true,
    readsWhileSending: false,
  },
  ideal: IDEAL,
}) satisfies Readonly<Record<string, DatagramBehaviour>>;
