import { timesX } from './field';
import { BLOCK, BYTE_TABLE, COLUMNS, KNOWN, POWER, TABLE, blocksAt, byteTablesAt, multiplesAt } from './layout';
import { multiply } from './products';

/** Whose byte tables there are, 0 for nobody's, and of how many powers. */
let byteTablesOf: usize = 0;
let byteTables: usize = 0;

/** Makes tables up to that of H^n; the first from H, which stands before the key stream. */
export function learn(tables: usize, n: usize): void {
  let known = <usize>load<u32>(tables, KNOWN);
  if (known >= n) return;
  for (; known < n; known++) {
    const powers = tables + POWER + known * BLOCK;
    const power = known === 0 ? v128.load(blocksAt) : multiply(powers - BLOCK, 1, tables);
    v128.store(powers, power);
    writeTable(tables + known * TABLE, power);
  }
  store<u32>(tables, <u32>known, KNOWN);
  memory.fill(multiplesAt, 0, 4 * BLOCK);
}

/** The sixteen sums of a power times x^0 .. x^3, by columns. The highest bit of a half byte is x^0. */
function writeTable(table: usize, power: v128): void {
  v128.store(multiplesAt, power);
  power = timesX(power);
  v128.store(multiplesAt, power, 16);
  power = timesX(power);
  v128.store(multiplesAt, power, 32);
  power = timesX(power);
  v128.store(multiplesAt, power, 48);
  const with0 = i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1);
  const with1 = i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1);
  const with2 = i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1);
  const with3 = i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1);
  for (let column: usize = 0; column < COLUMNS; column++) {
    const at = multiplesAt + column;
    const sum01 = v128.xor(v128.and(v128.load8_splat(at), with0), v128.and(v128.load8_splat(at, 16), with1));
    const sum23 = v128.xor(v128.and(v128.load8_splat(at, 32), with2), v128.and(v128.load8_splat(at, 48), with3));
    v128.store(table + column * BLOCK, v128.xor(sum01, sum23));
  }
}

/** Makes byte tables of this key up to that of H^n. */
export function learnBytes(key: usize, n: usize): void {
  if (byteTablesOf !== key) {
    forgetByteTables();
    byteTablesOf = key;
  }
  if (byteTables >= n) return;
  learn(key, n);
  for (; byteTables < n; byteTables++) {
    const table = byteTablesAt + byteTables * BYTE_TABLE;
    let power = v128.load(key + POWER + byteTables * BLOCK);
    v128.store(table, i64x2.splat(0));
    // The highest bit of a byte is x^0.
    for (let bit: usize = 0x80; bit > 0; bit >>= 1) {
      v128.store(table + bit * BLOCK, power);
      power = timesX(power);
    }
    for (let bit: usize = 2; bit < 256; bit <<= 1) {
      const product = v128.load(table + bit * BLOCK);
      for (let below: usize = 1; below < bit; below++) {
        v128.store(table + (bit + below) * BLOCK, v128.xor(product, v128.load(table + below * BLOCK)));
      }
    }
  }
}

/** Overwrites the byte tables of a key, if they are its. */
export function forgetBytesOf(key: usize): void {
  if (byteTablesOf === key) forgetByteTables();
}

function forgetByteTables(): void {
  memory.fill(byteTablesAt, 0, byteTables * BYTE_TABLE);
  byteTables = 0;
  byteTablesOf = 0;
}
