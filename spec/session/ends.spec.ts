import { describe, it } from '@jest/globals';
import { mergeMap, take } from 'rxjs';
import { PacketType } from '../../src/protocol/index.js';
import { marbles } from './marbles.js';

const { DATA } = PacketType;

describe('messages$', () => {
  it('completes on BYE of the peer', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('-a-b-|').messages$).toBe('-a-b-|');
    });
  });

  it('completes on a BYE of ours, when the peer has closed in answer to it', () => {
    marbles(({ messages, at, expectObservable }) => {
      const session = messages('-a-b-', { latencyMs: 3 });
      expectObservable(session.messages$).toBe('----a-b--- 10ms |');
      expectObservable(session.peer.frames$).toBe('--- 14ms z', { z: { type: PacketType.BYE, plaintext: '' } });
      at(14, () => void session.bye());
    });
  });

  it('errors with CLOSED_WITHOUT_BYE where the connection breaks', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('-a-#').messages$).toBe('-a-#', undefined, 'CLOSED_WITHOUT_BYE');
    });
  });

  it('errors with CLOSED_WITHOUT_BYE where the peer ends the stream in an orderly way, but says no BYE', () => {
    marbles(({ messages, at, expectObservable }) => {
      const session = messages('-a');
      expectObservable(session.messages$).toBe('-a-#', undefined, 'CLOSED_WITHOUT_BYE');
      at(3, () => session.peer.end());
    });
  });

  it('errors with CLOSED_WITHOUT_BYE where the stream ends in the middle of a frame or of a message', () => {
    marbles(({ frames, hot, expectObservable }) => {
      const half = frames(hot('-a#', { a: new Uint8Array([0xcd, 0xab, 2]) }));
      const fragment = frames(hot('-a#', { a: { type: PacketType.DATA_FRAG, plaintext: new Uint8Array(452) } }));
      expectObservable(half.messages$).toBe('--#', undefined, 'CLOSED_WITHOUT_BYE');
      expectObservable(fragment.messages$).toBe('--#', undefined, 'CLOSED_WITHOUT_BYE');
    });
  });

  it('errors with CryptoError where a frame is forged, after the messages before it', () => {
    marbles(({ frames, hot, expectObservable }) => {
      const session = frames(
        hot('-a-b', {
          a: { type: DATA, plaintext: new Uint8Array([97]) },
          b: { type: DATA, plaintext: new Uint8Array([98]), corruptTag: true },
        }),
      );
      expectObservable(session.messages$).toBe('-a-#', undefined, 'CRYPTO_TAG');
    });
  });

  it('errors with TIMEOUT_IDLE where the peer is silent', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b', { idleTimeoutMs: 60_000 });
      expectObservable(session.messages$).toBe('-a-b 59999ms #', undefined, 'TIMEOUT_IDLE');
    });
  });

  it('delivers what came before the end first', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('(abc|)').messages$).toBe('(abc|)');
      expectObservable(messages('-(ab)#').messages$).toBe('-(ab)#', undefined, 'CLOSED_WITHOUT_BYE');
    });
  });
});

describe('who subscribes to messages$', () => {
  it('late gets what waits in the inbox at once, then what comes', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('-a-b--------c-|').messages$, '-----^').toBe('-----(ab)---c-|');
    });
  });

  it('after the end gets what is left, then the end', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('-a-b-|').messages$, '----------^').toBe('----------(ab|)');
      expectObservable(messages('-a-b-#').messages$, '----------^').toBe(
        '----------(ab#)',
        undefined,
        'CLOSED_WITHOUT_BYE',
      );
    });
  });

  it('after the end and after others have taken everything gets the end', () => {
    marbles(({ messages, expectObservable }) => {
      const completed = messages('-a-|');
      expectObservable(completed.messages$).toBe('-a-|');
      expectObservable(completed.messages$, '------^').toBe('------|');
      const broken = messages('-a-#');
      expectObservable(broken.messages$).toBe('-a-#', undefined, 'CLOSED_WITHOUT_BYE');
      expectObservable(broken.messages$, '------^').toBe('------#', undefined, 'CLOSED_WITHOUT_BYE');
    });
  });

  it('twice shares one stream: nothing is repeated for the second', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b-c-|');
      expectObservable(session.messages$).toBe('-a-b-c-|');
      expectObservable(session.messages$, '--^').toBe('---b-c-|');
    });
  });

  it('again after all have unsubscribed gets what came in between', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b-c-----d-|');
      expectObservable(session.messages$, '^-!').toBe('-a-');
      expectObservable(session.messages$, '------^').toBe('------(bc)-d-|');
    });
  });

  it('and unsubscribes never closes the session', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b-|');
      expectObservable(session.messages$.pipe(take(1))).toBe('-(a|)');
      expectObservable(session.state$).toBe('o----(c|)', { o: 'open', c: 'closed' });
    });
  });

  it('takes one of several that wait leaves the others for the next', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('(abc)--|');
      expectObservable(session.messages$.pipe(take(1)), '--^').toBe('--(a|)');
      expectObservable(session.messages$.pipe(take(1)), '---^').toBe('---(b|)');
      expectObservable(session.messages$, '----------^').toBe('----------(c|)');
    });
  });

  it('from within the handler of another misses nothing', () => {
    marbles(({ messages, expectObservable }) => {
      const session = messages('-a-b-|');
      expectObservable(session.messages$.pipe(mergeMap(() => session.messages$))).toBe('---b-|');
    });
  });
});

describe('state$', () => {
  it('gives the present state first and completes after closed', () => {
    marbles(({ messages, at, expectObservable }) => {
      const byPeer = messages('---|');
      expectObservable(byPeer.state$).toBe('o--(c|)', { o: 'open', c: 'closed' });
      const byUs = messages('-', { latencyMs: 2 });
      expectObservable(byUs.state$).toBe('o--g---(c|)', { o: 'open', g: 'closing', c: 'closed' });
      at(3, () => void byUs.bye());
    });
  });

  it('never errors, whatever ends the session', () => {
    marbles(({ messages, expectObservable }) => {
      expectObservable(messages('---#').state$).toBe('o--(c|)', { o: 'open', c: 'closed' });
    });
  });

  it('shows a late subscriber where the session stands', () => {
    marbles(({ messages, at, expectObservable }) => {
      expectObservable(messages('---|').state$, '-----^').toBe('-----(c|)', { c: 'closed' });
      const session = messages('-', { latencyMs: 10 });
      at(3, () => void session.bye());
      expectObservable(session.state$, '-----^').toBe('-----g 17ms (c|)', { g: 'closing', c: 'closed' });
    });
  });
});
