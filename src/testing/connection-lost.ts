import { ConnectionClosedError } from '../protocol/index.js';

/** What a simulated peer reports when the other side ends without BYE. */
export const connectionLost = (cause?: unknown): ConnectionClosedError =>
  new ConnectionClosedError('CLOSED_WITHOUT_BYE', 'the other side ended the connection without BYE', { cause });
