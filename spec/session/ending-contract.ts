import { describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { text } from '../../src/testing/index.js';
import { BOTH_WAYS, codeOf, rest, texts, upTo } from './contract-vocabulary.js';
import type { OpenedSessions, PairLimits } from './open-sessions.js';

/** How a session ends, whatever carries it; `connect` makes a client's and a server's session that are closed after the test. */
export function endingContract(connect: (limits?: PairLimits) => Promise<OpenedSessions>): void {
  describe.each(BOTH_WAYS)('from %s to %s', (from, to) => {
    it('bye: everything sent before arrives, then both ends complete, and closed says who ended it', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const [states, otherStates] = [sender, receiver].map((session) => firstValueFrom(session.state$.pipe(toArray())));
      const sends = Promise.all(upTo(20).map((n) => sender.send(`${n}`)));
      const ends = Promise.all([rest(receiver), rest(sender)]);
      await wait(sender.bye());

      expect((await wait(ends)).map(texts)).toEqual([upTo(20).map(String), []]);
      await wait(sends);
      expect(await wait(Promise.all([sender.closed, receiver.closed]))).toEqual([
        { origin: 'local' },
        { origin: 'remote' },
      ]);
      expect(await states).toEqual(['open', 'closing', 'closed']);
      expect(await otherStates).toEqual(['open', 'closed']);
    });

    it('recv drains what is queued after the end, then rejects', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      for (const message of ['a', 'b', 'c']) void sender.send(message);
      await wait(sender.bye());
      await wait(receiver.closed);
      const drained = [await receiver.recv(), await receiver.recv(), await receiver.recv()];

      expect(texts(drained)).toEqual(['a', 'b', 'c']);
      await expect(receiver.recv()).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 'CLOSED_BY_BYE' });
    });

    it('asyncDispose says BYE', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const ends = Promise.all([sender[Symbol.asyncDispose](), receiver.closed]);

      expect(await wait(ends)).toEqual([undefined, { origin: 'remote' }]);
    });

    it('after the end every call is refused with a typed error', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      await wait(Promise.all([sender.bye(), receiver.closed]));
      const codes = [sender, receiver].flatMap((session) =>
        [session.send('late'), session.ping(), session.rekey()].map((call) => codeOf(call)),
      );

      expect(await wait(Promise.all(codes))).toEqual([
        'CLOSED_BEFORE_SEND',
        'CLOSED',
        'CLOSED',
        'CLOSED_BEFORE_SEND',
        'CLOSED',
        'CLOSED',
      ]);
    });
  });

  it('ends cleanly where both sides say BYE at once', async () => {
    const { client, server, wait } = await connect();
    const ends = Promise.all([rest(client), rest(server)]);
    void client.send('last of the client');
    void server.send('last of the server');
    await wait(Promise.all([client.bye(), server.bye()]));

    expect(await wait(Promise.all([client.closed, server.closed]))).toEqual([{ origin: 'local' }, { origin: 'local' }]);
    await wait(ends);
  });

  it('ends with TIMEOUT_IDLE when the peer is silent for too long', async () => {
    const { server, wait } = await connect({ server: { idleTimeoutMs: 200 } });
    const [end, waiting] = [rest(server), server.ping()];
    const error = { name: 'TimeoutError', code: 'TIMEOUT_IDLE' };
    await wait(waiting);
    await wait(expect(end).rejects.toMatchObject(error));

    expect(await wait(server.closed)).toMatchObject({ origin: 'remote', error });
  });

  it('stays while either side sends PING in time', async () => {
    const { client, server, wait } = await connect({
      client: { keepaliveMs: 50, idleTimeoutMs: 1_000 },
      server: { idleTimeoutMs: 1_000 },
    });
    const pings = firstValueFrom(
      server.events$.pipe(
        filter(({ type }) => type === 'ping'),
        take(3),
        toArray(),
      ),
    );

    expect(await wait(pings)).toHaveLength(3);
    void client.send('still here');
    expect(text(await wait(server.recv()))).toBe('still here');
  });
}
