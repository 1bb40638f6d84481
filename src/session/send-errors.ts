import { ConnectionClosedError, InvalidStateError, type UsmpError } from '../protocol/errors.js';
import type { CloseInfo } from './session.js';

/** A message more than the outbox holds. */
export const outboxFull = (maxOutboxBytes: number): InvalidStateError =>
  new InvalidStateError(
    'OUTBOX_FULL',
    `more than ${maxOutboxBytes} bytes wait for the peer; await send() before sending more`,
  );

/** What whoever still waits is told at the end of a session. Made only for them: an error costs as much as many frames. */
export const endError = (info: CloseInfo): UsmpError =>
  info.error ?? new ConnectionClosedError('CLOSED_BY_BYE', 'the session ended with BYE', info);

/** A message that waited when the session ended, and of which nothing was sent. */
export const notSent = (cause: UsmpError): ConnectionClosedError =>
  new ConnectionClosedError('CLOSED_BEFORE_SEND', 'the session ended before the message was sent', {
    cause,
    origin: cause.origin,
  });
