import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hexDump, hexLine, jsonOf, parseHex, readableText, summaryOf, textOf } from '../../src/dashboard/payload.js';
import { lineOf, PAYLOAD_VIEWS, wholeOf } from '../../src/dashboard/device/payload-views.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const anyPayload = fc.uint8Array({ maxLength: 1_808 });

describe('a payload', () => {
  it('is a text where it is UTF-8 without control characters', () => {
    expect(textOf(bytes('21.5 °C\n'))).toBe('21.5 °C\n');
    expect(textOf(bytes('bell\u0007'))).toBeUndefined();
    expect(textOf(bytes('off \u202Eno'))).toBeUndefined();
    expect(textOf(Uint8Array.of(0xc3, 0x28))).toBeUndefined();
  });

  it('shows dots for what can not be read', () => {
    expect(readableText(Uint8Array.of(0x41, 0x00, 0xff, 0x42))).toBe('A··B');
  });

  it('is JSON only where all of it is', () => {
    expect(jsonOf(bytes(' {"a":[1]}'))).toEqual({ a: [1] });
    expect(jsonOf(bytes('-4'))).toBe(-4);
    expect(jsonOf(bytes('door open'))).toBeUndefined();
    expect(jsonOf(bytes('{"a":'))).toBeUndefined();
    expect(jsonOf(Uint8Array.of(0xff))).toBeUndefined();
  });

  it('has a summary: the fields of an object, a text, the first bytes', () => {
    expect(summaryOf(bytes('{"celsius":21.500000000000004,"state":"ok","at":{"x":1}}'))).toBe(
      'celsius 21.5  state ok  at {"x":1}',
    );
    expect(summaryOf(bytes('door\nopen'))).toBe('door open');
    expect(summaryOf(Uint8Array.of(0x3f, 0x9a))).toBe('3f 9a');
    expect(summaryOf(new Uint8Array(13))).toBe(`${'00 '.repeat(12)}…`);
    expect(summaryOf(new Uint8Array())).toBe('(empty)');
  });

  it('has a summary and lines of bounded length, whatever it is', () => {
    fc.assert(
      fc.property(anyPayload, (payload) => {
        expect(summaryOf(payload).length).toBeLessThanOrEqual(101);
        for (const view of PAYLOAD_VIEWS) {
          expect(lineOf(payload, view).length).toBeLessThanOrEqual(401);
          expect(lineOf(payload, view)).not.toMatch(/[\r\n]/);
        }
      }),
    );
  });

  it('is dumped 16 bytes a line', () => {
    expect(hexDump(Uint8Array.from({ length: 18 }, (_, at) => 0x3e + at))).toBe(
      '0000  3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d  >?@ABCDEFGHIJKLM\n' +
        '0010  4e 4f                                            NO',
    );
  });

  it('is shown whole: JSON indented, and as a text where it is none', () => {
    expect(wholeOf(bytes('{"a":1}'), 'json')).toBe('{\n  "a": 1\n}');
    expect(wholeOf(bytes('open'), 'json')).toBe('open');
    expect(lineOf(bytes('{ "a": 1 }'), 'json')).toBe('{"a":1}');
    expect(lineOf(bytes('{ "a": 1 }'), 'text')).toBe('{ "a": 1 }');
    expect(lineOf(new Uint8Array(), 'hex')).toBe('(empty)');
  });
});

describe('typed hexadecimal', () => {
  it('gives the bytes back that were written as hexadecimal', () => {
    fc.assert(fc.property(anyPayload, (payload) => expect(parseHex(hexLine(payload))).toEqual(payload)));
  });

  it.each([
    ['3f9a00', [0x3f, 0x9a, 0]],
    ['0x3F, 0x9A', [0x3f, 0x9a]],
    ['02:aa', [2, 0xaa]],
    ['', []],
  ])('may be written as %j', (text, expected) => expect(parseHex(text)).toEqual(Uint8Array.from(expected)));

  it.each(['3', 'zz', '3f 9'])('is refused where it is none: %j', (text) => expect(parseHex(text)).toBeUndefined());
});
