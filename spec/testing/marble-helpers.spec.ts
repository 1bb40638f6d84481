import { describe, expect, it } from '@jest/globals';
import { filter, groupBy, map, mergeMap, scan, tap, type Observable } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import {
  bytes,
  comparable,
  memoryNetwork,
  playDevices,
  sessionFromFrames,
  sessionFromMessages,
  SimulatedGateway,
  testEnvironment,
  text,
  type PlayedSession,
} from 'usmp-rx/testing';
import { UsmpClient } from '../../src/client/usmp-client.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { PacketType } from '../../src/protocol/index.js';
import { UsmpServer } from '../../src/server/server.js';
import type { Session } from '../../src/session/session.js';

function marbles(
  test: (helpers: RunHelpers, environment: ReturnType<typeof testEnvironment<TestScheduler>>) => void,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(comparable(actual)).toEqual(comparable(expected)));
  const environment = testEnvironment({ scheduler, provider: nodeCrypto });
  scheduler.run((helpers) => test(helpers, environment));
}

/** A pipeline as a user has it: sums up what each device reports and tells it when that is too much. */
function alerts(sessions$: Observable<Session>): Observable<string> {
  return sessions$.pipe(
    mergeMap((session) =>
      session.messages$.pipe(
        map((message) => Number(text(message))),
        scan((sum, value) => sum + value, 0),
        filter((sum) => sum > 10),
        tap(() => void session.send('stop')),
        map((sum) => `${session.deviceId} ${sum}`),
      ),
    ),
  );
}

describe('a pipeline of messages', () => {
  it('is tested with a diagram: values are messages, completion is BYE, an error cuts the connection', () => {
    marbles(({ cold, expectObservable }, environment) => {
      const session = sessionFromMessages(cold('-a-b-|'), environment);
      const cut = sessionFromMessages(cold('-a-#'), environment);
      expectObservable(session.messages$).toBe('-a-b-|');
      expectObservable(cut.messages$).toBe('-a-#', undefined, 'CLOSED_WITHOUT_BYE');
    });
  });

  it('and what it sends back is observed in the same frame', () => {
    marbles(({ cold, expectObservable }, environment) => {
      const session = sessionFromMessages(cold('-a-b-|'), environment);
      const answered$ = session.messages$.pipe(tap((message) => void session.send(`${text(message)}!`)));
      expectObservable(answered$).toBe('-a-b-|');
      expectObservable(session.peer.messages$).toBe('-a-b', { a: 'a!', b: 'b!' });
    });
  });

  it('takes bytes as well as texts, with the latency of a line', () => {
    marbles(({ cold, expectObservable }, environment) => {
      const played$ = cold('-a-b-|', { a: bytes('on'), b: 'off' });
      const session = sessionFromMessages(played$, { ...environment, latencyMs: 5 });
      expectObservable(session.messages$.pipe(map(text))).toBe('------a-b-|', { a: 'on', b: 'off' });
    });
  });

  it('unsubscribes from its source when the session ends', () => {
    marbles(({ cold, expectSubscriptions, expectObservable }, environment) => {
      const source$ = cold('-a-b-c-d-|');
      const session = sessionFromMessages(source$, environment);
      const polite$ = session.messages$.pipe(tap((message) => text(message) === 'b' && void session.bye()));
      expectObservable(polite$).toBe('-a-(b|)');
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  it('has no end where the diagram has none, and the inactivity limit where one is given', () => {
    marbles(({ cold, expectObservable }, environment) => {
      expectObservable(sessionFromMessages(cold('-a'), environment).messages$).toBe('-a');
      const limited = sessionFromMessages(cold('-a'), { ...environment, idleTimeoutMs: 50 });
      expectObservable(limited.messages$).toBe('-a 49ms #', undefined, 'TIMEOUT_IDLE');
    });
  });
});

describe('a pipeline of frames', () => {
  it('is tested with recipes and raw bytes', () => {
    marbles(({ cold, expectObservable }, environment) => {
      const frames$ = cold('-abc-x', {
        a: { type: PacketType.DATA_FRAG, plaintext: bytes('long ') },
        b: { type: PacketType.DATA, plaintext: bytes('message') },
        c: { type: PacketType.PING },
        x: new Uint8Array([1, 2, 3]),
      });
      const session = sessionFromFrames(frames$, environment);
      expectObservable(session.messages$).toBe('--m--#', { m: 'long message' }, 'FRAME_MAGIC');
      expectObservable(session.peer.frames$.pipe(map(({ type }) => type))).toBe('---p', { p: PacketType.PONG });
    });
  });
});

describe('a pipeline of sessions', () => {
  it('is tested with a hot diagram of sessions; messages that come early wait', () => {
    marbles(({ hot, cold, expectObservable }, environment) => {
      const a = sessionFromMessages(cold('-5-4-3-|'), { ...environment, deviceId: '00:00:00:00:00:0a' });
      const b = sessionFromMessages(cold('-----9--9|'), { ...environment, deviceId: '00:00:00:00:00:0b' });
      const sessions$ = hot<PlayedSession>('---a-b', { a, b });
      expectObservable(alerts(sessions$)).toBe('-----a--b', {
        a: '00:00:00:00:00:0a 12',
        b: '00:00:00:00:00:0b 18',
      });
      expectObservable(a.peer.messages$).toBe('-----s', { s: 'stop' });
      expectObservable(b.peer.messages$).toBe('--------s', { s: 'stop' });
    });
  });

  it('gives each session an id of its own', () => {
    marbles(({ cold }, environment) => {
      const ids = Array.from({ length: 5 }, () => sessionFromMessages(cold('|'), environment).sessionId);
      expect(new Set(ids).size).toBe(5);
    });
  });
});

describe('a real server on a memory network', () => {
  it('is played by devices, each with its messages', () => {
    marbles(({ cold, expectObservable }, environment) => {
      const network = memoryNetwork({ ...environment, latencyMs: 1 });
      const server = new UsmpServer({ ...environment, psk: '0123456789abcdef' });
      void server.listen({ listeners: [network.listener('gateway')] });
      const received$ = server.sessions$.pipe(
        groupBy(({ deviceId }) => deviceId),
        mergeMap((sessions$) =>
          sessions$.pipe(
            mergeMap((session) => session.messages$.pipe(map((message) => `${sessions$.key.at(-1)} ${text(message)}`))),
          ),
        ),
      );
      expectObservable(received$).toBe('-------(xy)---z', { x: 'a 1', y: 'b 1', z: 'b 2' });
      playDevices(
        { '00:00:00:00:00:0a': cold('-1-|'), '00:00:00:00:00:0b': cold('-1-----------2-|') },
        { ...environment, dialer: network.dialer('gateway'), psk: '0123456789abcdef' },
      );
    });
  });
});

describe('a real client on a memory network', () => {
  it('is played by a simulated gateway', () => {
    marbles(({ expectObservable }, environment) => {
      const network = memoryNetwork({ ...environment, latencyMs: 1 });
      const gateway = new SimulatedGateway({
        ...environment,
        listener: network.listener('gateway'),
        psk: '0123456789abcdef',
      });
      void gateway.listen();
      const client = new UsmpClient({
        ...environment,
        transport: network.dialer('gateway'),
        deviceId: '00:00:00:00:00:0a',
        psk: '0123456789abcdef',
      });
      const { scheduler } = environment;
      void client.connect();
      expectObservable(client.messages$).toBe('20ms h 79ms |', { h: 'hello' });
      scheduler.schedule(() => gateway.latest?.send('hello'), 19);
      scheduler.schedule(() => void client.close(), 98);
    });
  });
});
