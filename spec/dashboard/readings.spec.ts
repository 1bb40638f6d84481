import { describe, expect, it } from '@jest/globals';
import { numbersIn } from '../../src/dashboard/readings.js';

const numbers = (text: string): Record<string, number> => Object.fromEntries(numbersIn(new TextEncoder().encode(text)));

describe('the numbers in a message', () => {
  it('are the numeric fields, with paths for nested ones', () => {
    expect(numbers('{"celsius":21.5,"state":"on","wind":{"speed":4},"phases":[230,231],"ok":true}')).toEqual({
      celsius: 21.5,
      'wind.speed': 4,
      'phases[0]': 230,
      'phases[1]': 231,
    });
  });

  it('of a mere number have a name as well', () => expect(numbers('21.5')).toEqual({ value: 21.5 }));

  it('are none in a text, a null or bytes', () => {
    expect([numbers('open'), numbers('null'), Object.fromEntries(numbersIn(Uint8Array.of(0xff, 0)))]).toEqual([
      {},
      {},
      {},
    ]);
  });

  it('are at most 8, and none deeper than three levels', () => {
    expect(Object.keys(numbers(JSON.stringify(Array.from({ length: 20 }, (_, n) => n))))).toHaveLength(8);
    expect(numbers('{"a":{"b":{"c":1,"d":{"e":2}}}}')).toEqual({ 'a.b.c': 1 });
  });

  it('are none where the range between two of them would be beyond all numbers', () => {
    expect(numbers('{"infinite":1e999,"huge":1.7e308,"deep":-1e101,"great":-1e100}')).toEqual({ great: -1e100 });
  });

  it('may have any names', () => expect(numbers('{"__proto__":1,"constructor":2}')).toHaveProperty('constructor', 2));
});
