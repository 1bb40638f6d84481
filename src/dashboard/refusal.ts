import { filter, retry, skip, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import type { BridgeState } from 'usmp-rx/bridge-client';

/** Never errors: where the gateway refuses a subscription it says why, and asks again in the next connection. */
export const askedAgain = <T>(
  state$: Observable<BridgeState>,
  onRefused: (why: string) => void,
): MonoTypeOperatorFunction<T> =>
  retry({
    delay(error: Error) {
      onRefused(error.message);
      return state$.pipe(
        skip(1),
        filter(({ name }) => name === 'open'),
      );
    },
  });
