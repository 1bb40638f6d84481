import { describe, expect, it } from '@jest/globals';
import { commandOf, MAX_COMMAND_BYTES, type Typed } from '../../../src/dashboard/device/command.js';
import { newer, NO_COMMANDS, older, shownOf, withCommand } from '../../../src/dashboard/device/command-history.js';

const text = (characters: string): Typed => ({ text: characters, notation: 'text' });
const hex = (characters: string): Typed => ({ text: characters, notation: 'hex' });

describe('a typed command', () => {
  it('is a text or hexadecimal', () => {
    expect(commandOf(text('é'))).toEqual({ data: Uint8Array.of(0xc3, 0xa9) });
    expect(commandOf(hex('c3 a9'))).toEqual({ data: Uint8Array.of(0xc3, 0xa9) });
  });

  it('that is no hexadecimal, or longer than a message, is refused with the reason', () => {
    expect(commandOf(hex('nine'))).toEqual({ problem: expect.stringContaining('Not hexadecimal') });
    expect(commandOf(text('a'.repeat(MAX_COMMAND_BYTES)))).toHaveProperty('data');
    expect(commandOf(text('é'.repeat(905)))).toEqual({ problem: '1810 bytes, and a message carries at most 1808.' });
  });

  it('of nothing is not sent: it is the Enter key that was hit too often', () => {
    for (const typed of [text(''), hex(' ')]) expect(commandOf(typed)).toHaveProperty('problem');
  });
});

describe('the history of commands', () => {
  const two = withCommand(withCommand(NO_COMMANDS, hex('01')), text('off'));

  it('goes back to the first and forth to what was being typed', () => {
    const once = older(two, hex('3'));
    const twice = older(once, shownOf(once));
    expect([shownOf(once), shownOf(twice)]).toEqual([text('off'), hex('01')]);
    expect(older(twice, hex('01'))).toBe(twice);
    expect(shownOf(newer(twice))).toEqual(text('off'));
    expect(shownOf(newer(newer(twice)))).toEqual(hex('3'));
    const newest = newer(newer(twice));
    expect(newer(newest)).toBe(newest);
  });

  it('that is empty shows what is typed', () => {
    expect(older(NO_COMMANDS, text('dra'))).toBe(NO_COMMANDS);
    expect(newer(NO_COMMANDS)).toBe(NO_COMMANDS);
    expect(shownOf(NO_COMMANDS)).toEqual(text(''));
  });

  it('goes on in the notation of what was sent', () => {
    expect(shownOf(withCommand(two, hex('02')))).toEqual(hex(''));
  });

  it('keeps a command that is repeated once, and at most a hundred', () => {
    expect(withCommand(two, text('off')).commands).toEqual([hex('01'), text('off')]);
    expect(withCommand(two, hex('off')).commands).toHaveLength(3);
    const many = Array.from({ length: 150 }, (_, n) => text(String(n))).reduce(withCommand, NO_COMMANDS);
    expect([many.commands.length, many.commands[0]]).toEqual([100, text('50')]);
  });
});
