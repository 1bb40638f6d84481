import { describe, expect, it } from '@jest/globals';
import { commandOf, MAX_COMMAND_BYTES } from '../../../src/dashboard/device/command.js';
import { newer, NO_COMMANDS, older, shownOf, withCommand } from '../../../src/dashboard/device/command-history.js';

describe('a typed command', () => {
  it('is a text or hexadecimal', () => {
    expect(commandOf('é', 'text')).toEqual({ data: Uint8Array.of(0xc3, 0xa9) });
    expect(commandOf('c3 a9', 'hex')).toEqual({ data: Uint8Array.of(0xc3, 0xa9) });
  });

  it('that is no hexadecimal, or longer than a message, is refused with the reason', () => {
    expect(commandOf('nine', 'hex')).toEqual({ problem: expect.stringContaining('Not hexadecimal') });
    expect(commandOf('a'.repeat(MAX_COMMAND_BYTES), 'text')).toHaveProperty('data');
    expect(commandOf('é'.repeat(905), 'text')).toEqual({ problem: '1810 bytes, and a message carries at most 1808.' });
  });
});

describe('the history of commands', () => {
  const two = withCommand(withCommand(NO_COMMANDS, 'on'), 'off');

  it('goes back to the first and forth to what was being typed', () => {
    const once = older(two, 'dra');
    const twice = older(once, shownOf(once));
    expect([shownOf(once), shownOf(twice)]).toEqual(['off', 'on']);
    expect(older(twice, 'on')).toBe(twice);
    expect(shownOf(newer(twice))).toBe('off');
    expect(shownOf(newer(newer(twice)))).toBe('dra');
    expect(newer(newer(newer(twice)))).toEqual(newer(newer(twice)));
  });

  it('that is empty shows what is typed', () => {
    expect(older(NO_COMMANDS, 'dra')).toBe(NO_COMMANDS);
    expect(shownOf(NO_COMMANDS)).toBe('');
  });

  it('keeps a command that is repeated once, and at most a hundred', () => {
    expect(withCommand(two, 'off').commands).toEqual(['on', 'off']);
    const many = Array.from({ length: 150 }, (_, n) => String(n)).reduce(withCommand, NO_COMMANDS);
    expect([many.commands.length, many.commands[0]]).toEqual([100, '50']);
  });
});
