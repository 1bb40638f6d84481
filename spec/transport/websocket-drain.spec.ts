import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { VirtualTime } from '../../src/testing/index.js';
import { webSocketTransport } from '../../src/transport/websocket.js';
import { probe } from './probe.js';

const KIB = 1024;

/** A WebSocket that says how much is buffered as it is told, and counts how often it is asked. */
class ScriptedWebSocket extends EventTarget {
  binaryType = '';
  readonly protocol = 'usmp.v2';
  readonly readyState = 1;
  readonly closings: unknown[] = [];
  buffered = 0;
  asked = 0;

  get bufferedAmount(): number {
    this.asked++;
    return this.buffered;
  }

  send(data: Uint8Array): void {
    this.buffered += data.length;
  }

  close(code?: number): void {
    this.closings.push(code);
  }
}

async function connect() {
  const time = new VirtualTime();
  const socket = new ScriptedWebSocket();
  const given = function () {
    return socket;
  } as unknown as typeof WebSocket;
  const dialed = firstValueFrom(webSocketTransport('ws://gateway/', { WebSocket: given, scheduler: time }).dial());
  socket.dispatchEvent(new Event('open'));
  const transport = await dialed;
  return { time, socket, transport, heard: probe(transport) };
}

describe('a WebSocket that is written to', () => {
  it('is not asked again and again while little is buffered', async () => {
    const { time, socket, transport } = await connect();
    expect(transport.write(new Uint8Array(KIB))).toBe(true);
    const { asked } = socket;
    await time.advance(60_000);

    expect(socket.asked).toBe(asked);
  });

  it('asks for a pause from 128 KiB on, drains at half of it, once, and is not asked after that', async () => {
    const { time, socket, transport, heard } = await connect();
    expect(transport.write(new Uint8Array(128 * KIB - 1))).toBe(true);
    expect(transport.write(Uint8Array.of(1))).toBe(false);
    expect(transport.write(Uint8Array.of(1))).toBe(false);
    socket.buffered = 64 * KIB + 1;
    await time.advance(1_000);
    expect(heard.log).toEqual([]);

    socket.buffered--;
    await time.advance(10);
    expect(heard.log).toEqual(['drain']);
    const { asked } = socket;
    await time.advance(1_000);
    expect(socket.asked).toBe(asked);
    expect(transport.write(Uint8Array.of(1))).toBe(true);
  });

  it.each(['end', 'destroy', 'reset'] as const)('is not asked any more after %s, and tells no drain', async (how) => {
    const { time, socket, transport, heard } = await connect();
    expect(transport.write(new Uint8Array(200 * KIB))).toBe(false);
    transport[how]();
    socket.buffered = 0;
    const { asked } = socket;
    await time.advance(1_000);

    expect(heard.log).toEqual([]);
    expect(socket.asked).toBe(asked);
    expect(socket.closings).toEqual([how === 'reset' ? 4000 : 1000]);
  });

  it('is not asked any more after it was closed', async () => {
    const { time, socket, transport, heard } = await connect();
    transport.write(new Uint8Array(200 * KIB));
    socket.dispatchEvent(Object.assign(new Event('close'), { code: 1000, reason: '' }));
    socket.buffered = 0;
    const { asked } = socket;
    await time.advance(1_000);

    expect(heard.log).toEqual(['end']);
    expect(socket.asked).toBe(asked);
  });
});
