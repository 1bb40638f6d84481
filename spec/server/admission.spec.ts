import { describe, expect, it } from '@jest/globals';
import { Admission, type AdmissionLimits, type RefusalReason, type Visit } from '../../src/server/admission.js';

const DEVICE = '00:11:22:33:44:55';
const ROOM = { sessions: 0, replaces: false };

const admissionWith = (limits: Partial<AdmissionLimits> = {}): Admission =>
  new Admission({
    maxSessions: 100,
    maxUnauthenticated: 100,
    maxUnauthenticatedPerAddress: 100,
    maxHandshakesPerSecond: 100,
    freeAuthenticationFailures: 5,
    maxAuthenticationDelayMs: 60_000,
    ...limits,
  });

function entered(admission: Admission, address = 'here'): Visit {
  const visit = admission.enter(address);
  if (typeof visit === 'string') throw new Error(visit);
  return visit;
}

describe('admission', () => {
  it('lets as many unauthenticated connections in as may be, and one more for each that leaves', () => {
    const admission = admissionWith({ maxUnauthenticated: 2 });
    const first = entered(admission, 'a');
    entered(admission, 'b');

    expect(admission.enter('c')).toBe('unauthenticated-limit' satisfies RefusalReason);
    first.leave();
    entered(admission, 'c');
    expect(admission.enter('d')).toBe('unauthenticated-limit');
  });

  it('does the same for each address', () => {
    const admission = admissionWith({ maxUnauthenticatedPerAddress: 2 });
    const [first] = [entered(admission, 'a'), entered(admission, 'a')];

    expect(admission.enter('a')).toBe('address-limit' satisfies RefusalReason);
    entered(admission, 'b');
    first.leave();
    first.leave();
    entered(admission, 'a');
    expect(admission.enter('a')).toBe('address-limit');
  });

  it('holds nothing against an address whose connections are gone', () => {
    const admission = admissionWith({ maxUnauthenticatedPerAddress: 1, maxUnauthenticated: 1 });
    for (let n = 0; n < 1_000; n++) entered(admission).leave();

    expect(typeof admission.enter('here')).toBe('object');
  });

  it('lets a device that replaces its session in where there is no room for another', () => {
    const admission = admissionWith({ maxSessions: 1 });

    expect(entered(admission).hello(DEVICE, { sessions: 1, replaces: true }, 0)).toBeUndefined();
    expect(entered(admission).hello(DEVICE, { sessions: 1, replaces: false }, 0)).toBe('session-limit');
  });

  it('lets so many handshakes begin in a second', () => {
    const admission = admissionWith({ maxHandshakesPerSecond: 2 });
    let addresses = 0;
    const hello = (nowMs: number): RefusalReason | undefined =>
      entered(admission, `address ${addresses++}`).hello(DEVICE, ROOM, nowMs);

    expect([hello(0), hello(0), hello(0), hello(499), hello(500), hello(500)]).toEqual([
      undefined,
      undefined,
      'rate-limit' satisfies RefusalReason,
      'rate-limit',
      undefined,
      'rate-limit',
    ]);
  });

  it('lets one address begin half of them, so that it keeps nobody else out', () => {
    const admission = admissionWith({ maxHandshakesPerSecond: 4 });
    const hello = (address: string): RefusalReason | undefined => entered(admission, address).hello(DEVICE, ROOM, 0);

    expect(['a', 'a', 'a', 'a', 'a', 'b', 'b'].map(hello)).toEqual([
      undefined,
      undefined,
      'rate-limit',
      'rate-limit',
      'rate-limit',
      undefined,
      undefined,
    ]);
  });

  it('counts a refusal for another reason to nobody, nor a connection that closes without HELLO', () => {
    const admission = admissionWith({ maxHandshakesPerSecond: 1, maxSessions: 1 });
    for (let n = 0; n < 9; n++) entered(admission).hello(DEVICE, { sessions: 1, replaces: false }, 0);
    for (let n = 0; n < 9; n++) entered(admission).leave();

    expect(entered(admission).hello(DEVICE, ROOM, 0)).toBeUndefined();
  });

  it('slows the pair of address and device id down that failed, and nobody else', () => {
    const admission = admissionWith();
    const fail = (): void => {
      const visit = entered(admission);
      visit.hello(DEVICE, ROOM, 0);
      visit.failed(0);
      visit.leave();
    };
    for (let n = 0; n < 6; n++) fail();

    expect(entered(admission).hello(DEVICE, ROOM, 999)).toBe('slow-down' satisfies RefusalReason);
    expect(entered(admission).hello('00:11:22:33:44:66', ROOM, 999)).toBeUndefined();
    expect(entered(admission, 'elsewhere').hello(DEVICE, ROOM, 999)).toBeUndefined();
    expect(entered(admission).hello(DEVICE, ROOM, 1_000)).toBeUndefined();
  });

  it('forgives a pair that authenticates', () => {
    const admission = admissionWith({ freeAuthenticationFailures: 1 });
    const attempt = (end: 'authenticated' | 'failed', nowMs: number): void => {
      const visit = entered(admission);
      visit.hello(DEVICE, ROOM, nowMs);
      visit[end](nowMs);
      visit.leave();
    };
    attempt('failed', 0);
    attempt('failed', 0);
    attempt('authenticated', 1_000);
    attempt('failed', 2_000);

    expect(entered(admission).hello(DEVICE, ROOM, 2_000)).toBeUndefined();
  });
});
