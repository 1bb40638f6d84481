import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, defer, of, throwError } from 'rxjs';
import { BridgeError, type BridgeState } from '../../src/bridge/client/index.js';
import { askedAgain } from '../../src/dashboard/refusal.js';

const OPEN: BridgeState = { name: 'open', role: 'read' };

describe('what the gateway refuses to tell', () => {
  it('is nothing, with the reason, until the next connection', () => {
    const state$ = new BehaviorSubject<BridgeState>(OPEN);
    const heard: unknown[] = [];
    let isRefused = true;
    const source$ = defer(() =>
      isRefused ? throwError(() => new BridgeError('LIMIT', 'too many subscriptions')) : of('devices'),
    );
    source$.pipe(askedAgain(state$, (why) => heard.push(why))).subscribe((value) => heard.push(value));
    expect(heard).toEqual(['too many subscriptions']);

    isRefused = false;
    state$.next({ name: 'connecting' });
    expect(heard).toHaveLength(1);
    state$.next(OPEN);
    expect(heard).toEqual(['too many subscriptions', 'devices']);
  });
});
