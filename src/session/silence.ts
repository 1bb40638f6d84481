import { TimeoutError } from '../protocol/errors.js';

/** The end of a session whose peer was silent for too long. */
export const silenceError = (idleTimeoutMs: number): TimeoutError =>
  new TimeoutError('TIMEOUT_IDLE', `no authentic frame came from the peer for ${idleTimeoutMs} ms`);
