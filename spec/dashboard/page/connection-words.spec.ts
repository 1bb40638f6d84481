import { describe, expect, it } from '@jest/globals';
import { BridgeError } from '../../../src/bridge/client/bridge-error.js';
import { wordsFor } from '../../../src/dashboard/page/connection-status.js';
import { loginMessage } from '../../../src/dashboard/page/login.js';
import { actionOf } from '../../../src/dashboard/page/shortcuts.js';

const error = new BridgeError('CONNECT_FAILED', 'the bridge is not there');

describe('what is said of the connection', () => {
  it('is short while all is well, and says what the token allows', () => {
    expect(wordsFor({ name: 'open', role: 'command' }, 0, 0, undefined, '')).toMatchObject({
      short: 'Live',
      notice: '',
    });
    expect(wordsFor({ name: 'open', role: 'read' }, 0, 0, 5, '')).toMatchObject({
      short: 'Live, read only',
      notice: '',
    });
    expect(wordsFor({ name: 'connecting' }, 0, 0, undefined, '').notice).toBe('');
  });

  it('names what the gateway refuses to tell', () => {
    expect(wordsFor({ name: 'open', role: 'read' }, 0, 0, undefined, 'too many subscriptions')).toMatchObject({
      short: 'Live, read only',
      notice: 'The gateway refuses a part of what this page shows: too many subscriptions.',
    });
  });

  it('counts down to the next attempt and says how old the page is', () => {
    const lostAtMs = new Date(2026, 1, 1, 12, 30, 5).getTime();
    const waiting = { name: 'waiting', delayMs: 3_000, error } as const;
    expect(wordsFor(waiting, 1_000, 3_500, undefined, '').notice).toBe(
      'No connection to the gateway: the bridge is not there. Trying again in 3 s.',
    );
    expect(wordsFor(waiting, 3_600, 3_500, lostAtMs, '').notice).toMatch(
      /Trying again now\. What you see is of 12:30:05\.$/,
    );
    expect(wordsFor({ name: 'connecting' }, 0, 0, lostAtMs, '').notice).toMatch(/^Connecting to the gateway again/);
  });

  it('ends with the reason where trying again is useless', () => {
    expect(wordsFor({ name: 'failed', error }, 0, 0, undefined, '').notice).toBe('the bridge is not there');
    expect(wordsFor({ name: 'closed' }, 0, 0, undefined, '').short).toBe('Closed');
  });
});

describe('the login page', () => {
  it('tells a missing token from a wrong one and from a gateway that can not be used', () => {
    expect(loginMessage(undefined)).toContain('needs a token');
    expect(loginMessage(new BridgeError('UNAUTHORIZED', ''))).toContain('refused this token');
    expect(loginMessage(new BridgeError('SUBPROTOCOL', 'the server is no bridge'))).toContain(
      'the server is no bridge',
    );
  });
});

describe('a key', () => {
  const go = (): void => {};
  const keys = { c: go, '?': go };
  const press = (key: string, change: object = {}) => ({
    key,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    ...change,
  });

  it('does what the page says', () => expect(actionOf(press('c'), false, false, keys)).toBe(go));

  it('does nothing while one types, in a dialog, or with Ctrl, Alt or Meta', () => {
    expect(actionOf(press('c'), true, false, keys)).toBeUndefined();
    expect(actionOf(press('c'), false, true, keys)).toBeUndefined();
    for (const modifier of ['ctrlKey', 'altKey', 'metaKey']) {
      expect(actionOf(press('c', { [modifier]: true }), false, false, keys)).toBeUndefined();
    }
    expect(actionOf(press('toString'), false, false, keys)).toBeUndefined();
  });
});
