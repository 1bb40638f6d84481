/** Which side made the mistake: this program (`local`) or the peer (`remote`). */
export type ErrorOrigin = 'local' | 'remote';

/** Codes of the reserved ERROR packet, protocol.md section 2. */
export const WireErrorCode = {
  VERSION: 1,
  AUTH: 2,
  SEQ: 3,
  CRYPTO: 4,
  BAD_FRAME: 5,
  TIMEOUT: 6,
  INTERNAL: 7,
} as const;
export type WireErrorCode = (typeof WireErrorCode)[keyof typeof WireErrorCode];

interface ErrorGuideEntry {
  /** The class that carries this code. */
  readonly errorClass: string;
  /** The code that the reserved ERROR packet has for it. */
  readonly wireCode: WireErrorCode;
  /** What a user can do about it. */
  readonly advice: string;
}

const { VERSION, AUTH, SEQ, CRYPTO, BAD_FRAME, TIMEOUT, INTERNAL } = WireErrorCode;

const entry = (errorClass: string, wireCode: WireErrorCode, advice: string): ErrorGuideEntry =>
  Object.freeze({ errorClass, wireCode, advice });

/** Every error code with its class, its wire code and what to do about it. The README shows this table. */
export const ERROR_GUIDE = Object.freeze({
  FRAME_MAGIC: entry('MagicError', BAD_FRAME, 'The peer does not speak USMP: check host and port.'),
  FRAME_VERSION: entry('VersionError', VERSION, 'Update the older side: only protocol version 2 is spoken.'),
  FRAME_TYPE: entry('FrameError', BAD_FRAME, 'The peer sent an unknown packet type: check its firmware.'),
  FRAME_LENGTH: entry('FrameError', BAD_FRAME, 'The peer sent an impossible length: check its firmware.'),
  FRAME_CRC: entry('CrcError', BAD_FRAME, 'Line noise or broken firmware: reconnect, then check the link.'),
  PAYLOAD_TOO_LARGE: entry('PayloadError', BAD_FRAME, 'Split the message: at most 1808 bytes fit.'),
  PAYLOAD_TYPE: entry('PayloadError', INTERNAL, 'Pass a Uint8Array or a string.'),
  PAYLOAD_LENGTH: entry('PayloadError', BAD_FRAME, 'The peer broke the packet format: check its firmware.'),
  TOO_MANY_FRAGMENTS: entry('PayloadError', BAD_FRAME, 'A message has at most 4 fragments: check the firmware.'),
  SEQ_UNEXPECTED: entry('SequenceError', SEQ, 'Frames were lost, repeated or injected: reconnect.'),
  SEQ_EXHAUSTED: entry('SequenceError', SEQ, 'Rekey or reconnect before 2^32 - 1 frames.'),
  CONTROL_WITHIN_MESSAGE: entry('SequenceError', SEQ, 'The peer interleaved a control frame: check its firmware.'),
  CONTROL_FLOOD: entry('SequenceError', SEQ, 'The peer sends too many control frames: check its firmware.'),
  CRYPTO_TAG: entry('CryptoError', CRYPTO, 'Both ends need the same cipher suite; otherwise the frame was forged.'),
  CRYPTO_NONCE: entry('CryptoError', CRYPTO, 'The frame was forged or the peer is broken: reconnect.'),
  CRYPTO_LOW_ORDER_POINT: entry('CryptoError', CRYPTO, 'The peer sent an unsafe public key: do not trust it.'),
  CRYPTO_FAILURE: entry('CryptoError', INTERNAL, 'The crypto provider failed: check its inputs and the runtime.'),
  HANDSHAKE_UNEXPECTED_FRAME: entry('HandshakeError', BAD_FRAME, 'The peer broke the handshake: check its firmware.'),
  HANDSHAKE_PAYLOAD_LENGTH: entry('HandshakeError', BAD_FRAME, 'The peer broke the handshake: check its firmware.'),
  HANDSHAKE_INTERRUPTED: entry('HandshakeError', INTERNAL, 'The connection ended too early: try again.'),
  HANDSHAKE_REFUSED: entry('HandshakeError', INTERNAL, 'The server is at a limit or closing: try again later.'),
  PSK_LOOKUP_FAILED: entry('HandshakeError', INTERNAL, 'The PSK function threw: see the cause.'),
  AUTH_HMAC: entry('AuthError', AUTH, 'Give both sides the same PSK.'),
  AUTH_UNKNOWN_DEVICE: entry('AuthError', AUTH, 'Add the device id to the PSKs of the server.'),
  AUTH_REJECTED: entry('AuthError', AUTH, 'Check the PSK and that the server knows this device id.'),
  TIMEOUT_CONNECT: entry('TimeoutError', TIMEOUT, 'Check host, port and network.'),
  TIMEOUT_HANDSHAKE: entry('TimeoutError', TIMEOUT, 'The peer is not there or too slow, or, on UDP, has another PSK.'),
  TIMEOUT_IDLE: entry('TimeoutError', TIMEOUT, 'The peer is gone or sends no keepalive.'),
  TIMEOUT_RECV: entry('TimeoutError', TIMEOUT, 'Call recv() again: the session lives.'),
  TIMEOUT_SEND: entry('TimeoutError', TIMEOUT, 'The peer does not read fast enough.'),
  TIMEOUT_ACKNOWLEDGEMENT: entry('TimeoutError', TIMEOUT, 'The peer is gone, its link too bad, or its inbox full.'),
  CLOSED: entry('ConnectionClosedError', INTERNAL, 'Open a new session.'),
  CLOSED_BY_BYE: entry('ConnectionClosedError', INTERNAL, 'The session ended cleanly: open a new one if needed.'),
  CLOSED_WITHOUT_BYE: entry('ConnectionClosedError', INTERNAL, 'The connection broke: reconnect.'),
  CLOSED_BEFORE_SEND: entry('ConnectionClosedError', INTERNAL, 'Nothing of the message was sent: send it again.'),
  INBOX_FULL: entry('ConnectionClosedError', INTERNAL, 'Consume messages faster, or allow a larger inbox.'),
  CONNECT_FAILED: entry('ConnectionClosedError', INTERNAL, 'Check host, port and network: see the cause.'),
  TWO_CONSUMERS: entry('InvalidStateError', INTERNAL, 'Use either messages$ or recv(), not both at once.'),
  OUTBOX_FULL: entry('InvalidStateError', INTERNAL, 'Await send() before sending more.'),
  WRONG_STATE: entry('InvalidStateError', INTERNAL, 'Look at the order of the calls.'),
  ABORTED: entry('InvalidStateError', INTERNAL, 'The AbortSignal of the call was aborted.'),
  CONFIG_PSK: entry('ConfigError', INTERNAL, 'Give at least 16 bytes; generatePsk() makes a good one.'),
  CONFIG_DEVICE_ID: entry('ConfigError', INTERNAL, 'Give 6 bytes, or text like 00:11:22:33:44:55.'),
  CONFIG_OPTION: entry('ConfigError', INTERNAL, 'Correct the option that the message names.'),
  CONFIG_ADDRESS: entry('ConfigError', INTERNAL, 'Choose a free port and an address of this machine.'),
});

export type ErrorCode = keyof typeof ERROR_GUIDE;

export interface UsmpErrorOptions {
  /** Whose mistake it was; the default is the one that is usual for the class. */
  readonly origin?: ErrorOrigin;
  readonly cause?: unknown;
}

/**
 * The root of everything that this package throws, rejects with or sends down an observable.
 * `code` is stable and meant for programs; `message` is meant for people and never holds a secret.
 */
export class UsmpError extends Error {
  override readonly name: string = 'UsmpError';
  readonly code: ErrorCode;
  readonly origin: ErrorOrigin;

  constructor(code: ErrorCode, message: string, { origin = 'remote', cause }: UsmpErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.origin = origin;
  }

  /** The code that the reserved ERROR packet has for this error, protocol.md section 2. */
  get wireCode(): WireErrorCode {
    return ERROR_GUIDE[this.code].wireCode;
  }

  /** What a log line needs; the cause may be anything and stays out. */
  toJSON(): object {
    const { name, code, origin, message, advice } = this;
    return { name, code, origin, message, advice };
  }

  /** What a user can do about it. */
  get advice(): string {
    return ERROR_GUIDE[this.code].advice;
  }
}

/** A frame that is no USMP frame: magic, version, type, length or CRC. */
export class FrameError extends UsmpError {
  override readonly name: string = 'FrameError';
}

export class MagicError extends FrameError {
  override readonly name = 'MagicError';
}

export class VersionError extends FrameError {
  override readonly name = 'VersionError';
}

export class CrcError extends FrameError {
  override readonly name = 'CrcError';
}

/** A message or a plaintext of a size or type that the protocol has no place for. */
export class PayloadError extends UsmpError {
  override readonly name = 'PayloadError';
}

/** A frame out of order, or one that may not stand where it stands. */
export class SequenceError extends UsmpError {
  override readonly name = 'SequenceError';
}

/** A wrong tag, a wrong nonce, or a public key that is no key. */
export class CryptoError extends UsmpError {
  override readonly name = 'CryptoError';
}

/** A handshake that did not come to a session. */
export class HandshakeError extends UsmpError {
  override readonly name: string = 'HandshakeError';
}

/** The peer did not prove that it knows the PSK, or did not believe that we do. */
export class AuthError extends HandshakeError {
  override readonly name = 'AuthError';
}

export class TimeoutError extends UsmpError {
  override readonly name = 'TimeoutError';
}

/** The session is over, or the connection could not be had. */
export class ConnectionClosedError extends UsmpError {
  override readonly name = 'ConnectionClosedError';
}

/** A call that is not allowed now: a mistake in this program. */
export class InvalidStateError extends UsmpError {
  override readonly name = 'InvalidStateError';

  constructor(code: ErrorCode, message: string, options: UsmpErrorOptions = {}) {
    super(code, message, { origin: 'local', ...options });
  }
}

/** An option that cannot work; thrown where the option is given. */
export class ConfigError extends UsmpError {
  override readonly name = 'ConfigError';

  constructor(code: ErrorCode, message: string, options: UsmpErrorOptions = {}) {
    super(code, message, { origin: 'local', ...options });
  }
}
