import { ConfigError, InvalidStateError } from '../protocol/errors.js';

const noop = (): void => {};
// Not by instanceof: a signal may come from another realm.
const isSignal = (signal: unknown): boolean =>
  typeof signal === 'object' && signal !== null && 'addEventListener' in signal;
const isAborted = (signal: AbortSignal): boolean => signal.aborted;
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
    if (signal !== undefined && !isSignal(signal))
      throw new ConfigError('CONFIG_OPTION', 'signal: expected an AbortSignal');
    if (!signal) {
      start(resolve, reject);
      return;
    }
    if (isAborted(signal)) {
      reject(aborted(signal));
      return;
    }
    let takeBack = (): void => {};
    const onAbort = (): void => {
      takeBack();
      reject(aborted(signal));
    };
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    const fail = (error: unknown): void => {
      settled();
      reject(error);
    };
    try {
      takeBack = start((value) => {
        settled();
        resolve(value);
      }, fail);
      // What `start` called may have aborted.
      if (isAborted(signal)) takeBack();
    } catch (error) {
      fail(error);
    }
  });
  promise.catch(noop);
  return promise;
}
