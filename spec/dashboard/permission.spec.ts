import { describe, expect, it } from '@jest/globals';
import { BridgeError } from '../../src/bridge/client/bridge-error.js';
import { commandObstacle } from '../../src/dashboard/permission.js';
import { deviceOf } from './device-of.js';

const commanding = { name: 'open', role: 'command' } as const;

describe('a command', () => {
  it('can be sent where the token and the device allow it', () => {
    expect(commandObstacle(commanding, deviceOf(1))).toBeUndefined();
  });

  it('can not be sent without connection, right, device or session, and each time for a reason that is said', () => {
    const waiting = { name: 'waiting', delayMs: 1, error: new BridgeError('CONNECT_FAILED', '') } as const;
    const reasons = [
      commandObstacle(waiting, deviceOf(1)),
      commandObstacle({ name: 'open', role: 'read' }, deviceOf(1)),
      commandObstacle(commanding, undefined),
      commandObstacle(commanding, deviceOf(1, { isOnline: false })),
    ];
    expect(reasons).toEqual([
      'There is no connection to the gateway.',
      'Your token may only read.',
      'The gateway does not know this device.',
      'The device has no session.',
    ]);
  });
});
