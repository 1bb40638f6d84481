import { describe, expect, it } from '@jest/globals';
import type { BridgeEvent } from '../../../src/bridge/client/index.js';
import { groupsOf, incidentsOf, NO_INCIDENTS, withEvent } from '../../../src/dashboard/failures/incidents.js';

const deviceId = '02:00:00:00:00:01';
const failed = (from: string, atMs = 1, id: string | null = null): BridgeEvent => ({
  event: 'handshake-failed',
  atMs,
  deviceId: id,
  transport: 'tcp',
  remoteAddress: from,
  code: 'AUTH_HMAC',
  message: 'no',
});
const dropped: BridgeEvent = { event: 'dropped', atMs: 3, deviceId, reason: 'replayed', count: 4 };
const refused: BridgeEvent = { event: 'refused', atMs: 4, remoteAddress: '10.0.0.1:1', reason: 'full', count: 2 };
const lost: BridgeEvent = {
  event: 'session-closed',
  atMs: 2,
  deviceId,
  origin: 'local',
  code: 'TIMEOUT_IDLE',
  message: 'x',
};
const after = (...events: BridgeEvent[]) => events.reduce(withEvent, NO_INCIDENTS);

describe('failures', () => {
  it('are failed handshakes, lost sessions, drops and refusals, the newest first', () => {
    const incidents = after(failed('10.0.0.1:1'), lost, dropped, refused);

    expect(incidentsOf(incidents, 'all').map(({ kind, n }) => [kind, n])).toEqual([
      ['refusal', 3],
      ['drop', 2],
      ['session', 1],
      ['handshake', 0],
    ]);
    expect(incidentsOf(incidents, 'drop')).toHaveLength(1);
    expect(incidents.counts).toEqual({ handshake: 1, session: 1, drop: 4, refusal: 2 });
  });

  it('are known since the first of them', () => {
    expect(NO_INCIDENTS.sinceMs).toBeNull();
    expect(after(failed('10.0.0.1:1', 7), lost, failed('10.0.0.1:1', 9)).sinceMs).toBe(7);
  });

  it('are no sessions that begin, or end with BYE', () => {
    const opened: BridgeEvent = { event: 'session-opened', atMs: 1, deviceId, transport: 'tcp', remoteAddress: 'x' };
    const bye: BridgeEvent = { event: 'session-closed', atMs: 2, deviceId, origin: 'remote', code: null, message: '' };
    expect(after(opened, bye)).toBe(NO_INCIDENTS);
  });

  it('are grouped by cause and by device or host, whatever the port, the latest group first', () => {
    const incidents = after(
      failed('10.0.0.1:1', 1),
      failed('10.0.0.2:1', 2),
      failed('10.0.0.1:9', 3),
      failed('10.0.0.1:9', 4, deviceId),
      dropped,
      dropped,
    );
    expect(groupsOf(incidents, 'all').map(({ latest, count }) => [latest.atMs, count])).toEqual([
      [3, 8],
      [4, 1],
      [3, 2],
      [2, 1],
    ]);
    expect(groupsOf(incidents, 'drop')).toHaveLength(1);
  });

  it('are bounded, however many hosts there are', () => {
    const events = Array.from({ length: 2_500 }, (_, n) => failed(`10.0.${n >> 8}.${n & 255}:1`, n));
    const incidents = after(...events);

    expect(incidents.latest).toHaveLength(2_000);
    expect(incidents.groups.size).toBe(500);
    expect(incidents.counts.handshake).toBe(2_500);
    expect(incidents.latest[0]?.atMs).toBe(2_499);
    expect(groupsOf(incidents, 'all')[0]?.latest.atMs).toBe(2_499);
  });
});
