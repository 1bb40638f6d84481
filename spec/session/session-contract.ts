import { afterEach, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom, scan, toArray } from 'rxjs';
import type { SessionEvent } from '../../src/session/session-event.js';
import { text } from '../../src/testing/index.js';
import { pattern } from '../protocol/pair.js';
import { BOTH_WAYS, event, received, rest, texts, upTo } from './contract-vocabulary.js';
import type { OpenedSessions, PairLimits } from './open-sessions.js';
import { endingContract } from './ending-contract.js';

/** Everything around the limits of a frame, a fragment and a message (protocol.md section 6). */
const LENGTHS = [0, 1, 452, 453, 904, 905, 1_807, 1_808];

/** What a session promises to its user, whatever carries it; `open` makes a client's and a server's session. */
export function sessionContract(open: (limits?: PairLimits) => Promise<OpenedSessions>): void {
  let opened: OpenedSessions | undefined;

  async function connect(limits?: PairLimits): Promise<OpenedSessions> {
    opened = await open(limits);
    return opened;
  }

  afterEach(async () => {
    const last = opened;
    opened = undefined;
    await last?.close();
  });

  endingContract(connect);

  it('names the device, the session and the peer alike at both ends', async () => {
    const { client, server } = await connect();

    expect(client.deviceId).toBe(server.deviceId);
    expect(client.sessionId).toMatch(/^[0-9a-f]{32}$/);
    expect(client.sessionId).toBe(server.sessionId);
    expect(client.transport).toBe(server.transport);
    expect([client.remoteAddress, server.remoteAddress]).toEqual([
      expect.stringMatching(/./),
      expect.stringMatching(/./),
    ]);
  });

  describe.each(BOTH_WAYS)('from %s to %s', (from, to) => {
    it('delivers messages of 0 to 1808 bytes as they are, and resolves each send', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const arrived = received(receiver, LENGTHS.length);
      for (const length of LENGTHS) await wait(sender.send(pattern(length, length)));

      expect(await wait(arrived)).toEqual(LENGTHS.map((length) => pattern(length, length)));
    });

    it('keeps the order of concurrent sends, and never mixes their fragments', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const messages = upTo(40).map((n) => pattern((n * 631) % 1_809, n));
      const sends = Promise.all(messages.map((message) => sender.send(message)));

      expect(await wait(received(receiver, messages.length))).toEqual(messages);
      expect(await wait(sends)).toHaveLength(messages.length);
    });

    it('sends texts as UTF-8, and takes each message as it is at the call', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const reused = pattern(1_000, 1);
      const [first, second] = [sender.send('grüße'), sender.send(reused)];
      reused.fill(0);
      const [greeting, copy] = await wait(received(receiver, 2));
      await wait(Promise.all([first, second]));

      expect([text(greeting!), copy]).toEqual(['grüße', pattern(1_000, 1)]);
    });

    it('refuses 1809 bytes with PayloadError, sends nothing of them, and lives', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      await expect(wait(sender.send(new Uint8Array(1_809)))).rejects.toMatchObject({
        name: 'PayloadError',
        code: 'PAYLOAD_TOO_LARGE',
      });
      await wait(sender.send('next'));

      expect(texts(await wait(received(receiver, 1)))).toEqual(['next']);
    });

    it('does not send what its AbortSignal has taken back before', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      await expect(wait(sender.send('taken back', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
        code: 'ABORTED',
      });
      await wait(sender.send('next'));

      expect(texts(await wait(received(receiver, 1)))).toEqual(['next']);
    });

    it('pings: the round trip is a time in milliseconds, and shows at both ends', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const seen = [event(receiver, 'ping'), event(sender, 'pong')];
      const roundTripMs = await wait(sender.ping());

      expect(roundTripMs).toBeGreaterThanOrEqual(0);
      expect(await wait(Promise.all(seen))).toEqual([{ type: 'ping' }, { type: 'pong', roundTripMs }]);
    });

    it('rekeys while messages go both ways, and loses none', async () => {
      const { wait, [from]: sender, [to]: receiver } = await connect();
      const numbers = upTo(60).map(String);
      const arrived = Promise.all([received(receiver, 60), received(sender, 60)]);
      const rekeyed = [event(sender, 'rekeyed'), event(receiver, 'rekeyed')];
      for (const number of numbers) for (const session of [sender, receiver]) void session.send(number);
      await wait(sender.rekey());

      expect((await wait(arrived)).map(texts)).toEqual([numbers, numbers]);
      expect(await wait(Promise.all(rekeyed))).toEqual([
        { type: 'rekeyed', initiator: 'local' },
        { type: 'rekeyed', initiator: 'remote' },
      ]);
    });
  });

  it('rekeys from both sides at once', async () => {
    const { client, server, wait } = await connect();
    for (let n = 0; n < 2; n++) {
      const arrived = Promise.all([received(client, 10), received(server, 10)]);
      const rekeyed = Promise.all([client.rekey(), server.rekey()]);
      for (const number of upTo(10)) for (const session of [client, server]) void session.send(`${number}`);
      await wait(rekeyed);

      expect((await wait(arrived)).map(texts)).toEqual([upTo(10).map(String), upTo(10).map(String)]);
    }
  });

  it('recv serves calls in order, an iterator goes on from there, and messages$ after it', async () => {
    const { client, server, wait } = await connect();
    const calls = Promise.all([server.recv(), server.recv()]);
    for (const n of upTo(6)) void client.send(`${n}`);
    expect(texts(await wait(calls))).toEqual(['0', '1']);

    const iterator = server[Symbol.asyncIterator]();
    expect(text((await wait(iterator.next())).value as Uint8Array)).toBe('2');
    await iterator.return?.();
    expect(texts(await wait(received(server, 3)))).toEqual(['3', '4', '5']);
  });

  it('has one way of consuming at a time', async () => {
    const { client, server, wait } = await connect();
    const first = received(server, 1);
    await expect(server.recv()).rejects.toMatchObject({ name: 'InvalidStateError', code: 'TWO_CONSUMERS' });
    void client.send('for the first');
    expect(texts(await wait(first))).toEqual(['for the first']);

    const waiting = server.recv();
    await expect(rest(server)).rejects.toMatchObject({ name: 'InvalidStateError', code: 'TWO_CONSUMERS' });
    void client.send('for recv');
    expect(text(await wait(waiting))).toBe('for recv');
  });

  it('gives calls that wait up by their AbortSignal or their limit on silence, and lives', async () => {
    const { client, server, wait } = await connect();
    const giveUp = new AbortController();
    const given = [server.recv(giveUp), server.ping(giveUp), server.rekey(giveUp)].map((call) =>
      expect(call).rejects.toMatchObject({ code: 'ABORTED' }),
    );
    giveUp.abort();
    await wait(Promise.all(given));
    await wait(expect(client.recv({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT_RECV' }));
    void client.send('still heard');

    expect(text(await wait(server.recv()))).toBe('still heard');
  });

  it('shows messages in events$ at both ends, consumed or not, and completes it after the end', async () => {
    const { client, server, wait } = await connect();
    const shown = [client, server].map((session) =>
      firstValueFrom(
        session.events$.pipe(
          filter(({ type }) => type !== 'dropped'),
          scan<SessionEvent, string[]>(
            (all, one) => [...all, 'bytes' in one ? `${one.type} ${one.bytes}` : one.type],
            [],
          ),
          toArray(),
        ),
      ),
    );
    for (const length of [0, 1_808]) await wait(client.send(new Uint8Array(length)));
    await wait(client.bye());
    await wait(server.closed);
    const [atClient, atServer] = (await wait(Promise.all(shown))).map((all) => all.at(-1));

    expect(atClient).toEqual(['sent 0', 'sent 1808', 'closed']);
    expect(atServer).toEqual(['message 0', 'message 1808', 'closed']);
  });

  it('a short stall of a full inbox loses nothing', async () => {
    const { client, server, wait } = await connect({ server: { maxInboxMessages: 3 } });
    const stalled = firstValueFrom(server.events$.pipe(filter(({ type }) => type !== 'message')));
    const sends = Promise.all(upTo(12).map((n) => client.send(`${n}`)));
    expect(['paused', 'dropped']).toContain((await wait(stalled)).type);

    expect(texts(await wait(received(server, 12)))).toEqual(upTo(12).map(String));
    await wait(sends);
  });
}
