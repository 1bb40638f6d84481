import { InvalidStateError } from '../protocol/errors.js';

const noop = (): void => {};
const aborted = (signal: AbortSignal): InvalidStateError =>
  new InvalidStateError('ABORTED', 'the call was aborted by its AbortSignal', { cause: signal.reason });

/**
 * A promise around callbacks that an AbortSignal can end and that never becomes an unhandled rejection. `start` returns what
 * takes the request back; it runs at most once, and only for an abort.
 */
export function abortable<T>(
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  const promise = new Promise<T>((resolve, reject) => {
    if (!signal) {
      start(resolve, reject);
      return;
    }
    if (signal.aborted) {
      reject(aborted(signal));
      return;
    }
    const onAbort = (): void => {
      takeBack();
      reject(aborted(signal));
    };
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    const takeBack = start(
      (value) => {
        settled();
        resolve(value);
      },
      (error) => {
        settled();
        reject(error);
      },
    );
  });
  promise.catch(noop);
  return promise;
}
