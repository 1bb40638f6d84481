import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOrMakePsk, readOrMakeToken } from '../../src/gateway/own-secrets.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'usmp-psk-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const permissions = (path: string): number => statSync(path).mode & 0o777;

describe("the gateway's PSK file", () => {
  it('is made with a random PSK where there is none, for its owner alone', () => {
    const path = join(directory, '.usmp', 'psk');
    const { psk, isNew } = readOrMakePsk(path);

    expect(isNew).toBe(true);
    expect(psk).toMatch(/^[0-9a-f]{64}$/);
    expect(permissions(path)).toBe(0o600);
    expect(permissions(join(directory, '.usmp'))).toBe(0o700);
    expect(readOrMakePsk(join(directory, 'another')).psk).not.toBe(psk);
  });

  it('is kept from run to run', () => {
    const path = join(directory, 'psk');
    const { psk } = readOrMakePsk(path);

    expect(readOrMakePsk(path)).toEqual({ psk, isNew: false });
  });

  it('may hold a PSK of the user, with or without a line end, and is closed to others', () => {
    const path = join(directory, 'psk');
    writeFileSync(path, 'a PSK that a person typed\r\n');
    chmodSync(path, 0o644);

    expect(readOrMakePsk(path).psk).toBe('a PSK that a person typed');
    expect(permissions(path)).toBe(0o600);
  });

  it('with a PSK shorter than 16 bytes is refused and left as it is', () => {
    const path = join(directory, 'psk');
    writeFileSync(path, 'short');

    expect(() => readOrMakePsk(path)).toThrow(
      expect.objectContaining({ name: 'ConfigError', code: 'CONFIG_PSK', message: expect.stringContaining(path) }),
    );
    expect(readFileSync(path, 'utf8')).toBe('short');
  });

  it('that is a directory, or lies under a file, is refused with the way out', () => {
    const file = join(directory, 'file');
    mkdirSync(join(directory, 'psk'));
    writeFileSync(file, '');

    for (const path of [join(directory, 'psk'), join(file, 'psk')]) {
      expect(() => readOrMakePsk(path)).toThrow(
        expect.objectContaining({ code: 'CONFIG_PSK', message: expect.stringContaining('--psk-file') }),
      );
    }
  });
});

describe("the file of the dashboard's token", () => {
  it('is made with a random token where there is none, for its owner alone, and kept', () => {
    const path = join(directory, 'dashboard-token');
    const token = readOrMakeToken(path);

    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(permissions(path)).toBe(0o600);
    expect(readOrMakeToken(path)).toBe(token);
  });

  it.each([
    ['too short', 'short', 'expected 16 to 1000 characters, got 5'],
    ['too long', 'x'.repeat(1_001), 'expected 16 to 1000 characters, got 1001'],
    ['of two lines', 'sixteen characters\nand more', 'expected one line'],
  ])('with one that is %s is refused as that, with the way out, and left as it is', (_, content, why) => {
    const path = join(directory, 'dashboard-token');
    writeFileSync(path, content);
    let message = '';
    try {
      readOrMakeToken(path);
    } catch (error) {
      expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG_OPTION' });
      ({ message } = error as Error);
    }

    expect(message).toContain(`${path}, the file of the dashboard's token: ${why}`);
    expect(message).toContain('remove it');
    expect(message.replace(path, '')).not.toMatch(/psk/i);
    expect(message).not.toContain(content);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('that is a directory is refused as that', () => {
    expect(() => readOrMakeToken(directory)).toThrow(
      expect.objectContaining({ code: 'CONFIG_OPTION', message: expect.stringContaining("the dashboard's token") }),
    );
  });
});
