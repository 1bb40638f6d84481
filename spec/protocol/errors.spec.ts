import { describe, expect, it } from '@jest/globals';
import * as protocol from '../../src/protocol/index.js';
import {
  ERROR_GUIDE,
  UsmpError,
  WireErrorCode,
  type ErrorCode,
  type UsmpErrorOptions,
} from '../../src/protocol/index.js';

type ErrorClass = new (code: ErrorCode, message: string, options?: UsmpErrorOptions) => UsmpError;

/** Each class and the one that it extends, as in the chapter on errors of the design. */
const PARENTS = {
  UsmpError: 'Error',
  FrameError: 'UsmpError',
  MagicError: 'FrameError',
  VersionError: 'FrameError',
  CrcError: 'FrameError',
  PayloadError: 'UsmpError',
  SequenceError: 'UsmpError',
  CryptoError: 'UsmpError',
  HandshakeError: 'UsmpError',
  AuthError: 'HandshakeError',
  TimeoutError: 'UsmpError',
  ConnectionClosedError: 'UsmpError',
  InvalidStateError: 'UsmpError',
  ConfigError: 'UsmpError',
} as const;
type ErrorClassName = keyof typeof PARENTS;

const classes = protocol as unknown as Readonly<Record<string, ErrorClass>>;
const names = Object.keys(PARENTS) as ErrorClassName[];
const codes = Object.keys(ERROR_GUIDE) as ErrorCode[];

describe.each(names)('%s', (name) => {
  const errorClass = classes[name] as ErrorClass;

  it('is exported under its name, and its errors show it', () => {
    const error = new errorClass('CLOSED', 'over');
    expect(error).toMatchObject({ name, code: 'CLOSED', message: 'over' });
    expect(String(error)).toBe(`${name}: over`);
    expect(error.stack).toContain('over');
  });

  it('extends what the design says', () => {
    expect((Object.getPrototypeOf(errorClass) as ErrorClass).name).toBe(PARENTS[name]);
    expect(new errorClass('CLOSED', 'over')).toBeInstanceOf(UsmpError);
  });

  it('blames this program for its own mistakes and the peer for all else, unless told otherwise', () => {
    const ours = ['InvalidStateError', 'ConfigError'].includes(name) ? 'local' : 'remote';
    expect(new errorClass('CLOSED', 'over').origin).toBe(ours);
    for (const origin of ['local', 'remote'] as const) {
      expect(new errorClass('CLOSED', 'over', { origin }).origin).toBe(origin);
    }
  });

  it('has a cause only where there is one', () => {
    const cause = new Error('ECONNRESET');
    expect(new errorClass('CLOSED', 'over', { cause }).cause).toBe(cause);
    expect(new errorClass('CLOSED', 'over', { cause: undefined })).not.toHaveProperty('cause');
  });
});

describe('the table of errors', () => {
  it('has every class but the two roots', () => {
    const used = new Set(codes.map((code) => ERROR_GUIDE[code].errorClass));
    expect([...used].sort()).toEqual(names.filter((name) => name !== 'UsmpError').sort());
  });

  it.each(codes)('%s names a class that is exported, a wire code of section 2 and what to do', (code) => {
    const { errorClass, wireCode, advice } = ERROR_GUIDE[code];
    const error = new (classes[errorClass] as ErrorClass)(code, 'message');
    expect(error.name).toBe(errorClass);
    expect(Object.values(WireErrorCode)).toContain(wireCode);
    expect([error.wireCode, error.advice]).toEqual([wireCode, advice]);
    expect(advice).toMatch(/^[A-Z].{10,}\.$/);
  });

  it('has the wire codes of section 2', () => {
    expect(WireErrorCode).toEqual({
      VERSION: 1,
      AUTH: 2,
      SEQ: 3,
      CRYPTO: 4,
      BAD_FRAME: 5,
      TIMEOUT: 6,
      INTERNAL: 7,
    });
    const wireCodeOf = (code: ErrorCode) => ERROR_GUIDE[code].wireCode;
    expect([wireCodeOf('FRAME_VERSION'), wireCodeOf('AUTH_HMAC'), wireCodeOf('SEQ_UNEXPECTED')]).toEqual([1, 2, 3]);
    expect([wireCodeOf('CRYPTO_TAG'), wireCodeOf('FRAME_CRC'), wireCodeOf('TIMEOUT_IDLE')]).toEqual([4, 5, 6]);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(ERROR_GUIDE)).toBe(true);
    expect(Object.values(ERROR_GUIDE).every((entry) => Object.isFrozen(entry))).toBe(true);
  });
});
