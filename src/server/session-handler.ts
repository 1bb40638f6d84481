import { ConfigError, ConnectionClosedError } from '../protocol/errors.js';
import type { Session } from '../session/session.js';
import type { UsmpSession } from '../session/usmp-session.js';

/**
 * Serves one session of `onSession`. When the promise resolves, the session ends with BYE; a rejection ends it too, and is
 * reported as `handler-failed`, unless it only passes on that the session itself has ended.
 */
export type SessionHandler = (session: Session) => Promise<unknown>;

/** Runs a handler and ends its session. Resolves with the failure where there is one to report; never rejects. */
export async function runHandler(
  handler: SessionHandler,
  session: UsmpSession,
): Promise<{ readonly error: unknown } | undefined> {
  try {
    const served = handler(session);
    if (typeof (served as Partial<Promise<unknown>> | undefined)?.then !== 'function') {
      throw new ConfigError(
        'CONFIG_OPTION',
        "onSession: the handler must return a promise, whose end is the session's end",
      );
    }
    await served;
  } catch (error) {
    if (!isEndOf(session, error)) return { error };
  } finally {
    void session.bye();
  }
  return undefined;
}

/** Whether an error is how a session that ends tells so: by its own error, or by saying that it is closed. */
function isEndOf({ isOpen, closeInfo }: UsmpSession, error: unknown): boolean {
  return !isOpen && (error === closeInfo?.error || error instanceof ConnectionClosedError);
}
