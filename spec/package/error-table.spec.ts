import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ERROR_GUIDE } from '../../src/protocol/errors.js';

it('README.md shows every error code with its class, its wire code and what to do about it', () => {
  const [, table = ''] = /<!-- errors -->\n([^]*?)<!-- \/errors -->/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const rows = Object.entries(ERROR_GUIDE).map(
    ([code, { errorClass, wireCode, advice }]) => `| \`${code}\` | ${errorClass} | ${wireCode} | ${advice} |`,
  );

  expect(table.trim().split('\n').slice(2)).toEqual(rows);
});
