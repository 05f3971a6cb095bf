/** docs/invariants.md says who looks at each invariant; a test names each pitfall. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENTRY_INVARIANTS, KERNEL_INVARIANTS, MACHINE_INVARIANTS } from '@barreleye/cpu-driver';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/invariants.md'), 'utf8');
/** Invariants of one core that must be checked by something. */
const REQUIRED = Array.from({ length: 43 }, (_, i) => `I${i + 1}`);

/** Rows of the tables whose first cell is a number that begins with `letter`: the other cells. */
function rowsOf(letter: string): Map<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  for (const line of page.split('\n')) {
    const [, id = '', ...cells] = line.split('|').map((cell) => cell.trim());
    if (!new RegExp(`^${letter}\\d+$`).test(id)) continue;
    expect(rows.has(id), `${id} has one row`).toBe(false);
    rows.set(id, cells.slice(0, -1));
  }
  return rows;
}

/** Numbers that the names of tests mention, each with the files of these tests. */
function idsInTests(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const named = /\b(?:it|test|describe)(?:\.each\([\w$]*\))?\(\s*(['"`])((?:(?!\1).)*)\1/g;
  for (const folder of ['packages', 'tooling', 'apps']) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.test.ts') || path.includes('node_modules')) continue;
      for (const [, , name = ''] of readFileSync(join(root, folder, path), 'utf8').matchAll(
        named,
      )) {
        for (const id of name.match(/\b[IT]\d+\b/g) ?? []) {
          found.set(id, (found.get(id) ?? new Set()).add(basename(path)));
        }
      }
    }
  }
  return found;
}

const tested = idsInTests();

describe('every invariant', () => {
  const rows = rowsOf('I');

  test('of one core is on the page, and somebody looks at it', () => {
    const unchecked = REQUIRED.filter((id) => (rows.get(id)?.[1] ?? '') === '');
    expect(unchecked).toEqual([]);
  });

  test.each([
    ['state', KERNEL_INVARIANTS],
    ['step', ENTRY_INVARIANTS],
    ['machine', MACHINE_INVARIANTS],
  ])('that is said to be checked by a %s is, and the reverse', (word, ids) => {
    const said = [...rows].filter(([, [, by = '']]) => by.split(', ').includes(word));
    const byNumber = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1));
    expect(said.map(([id]) => id)).toEqual([...new Set(ids)].sort(byNumber));
  });

  test('that is said to have a test has one with its number in the name', () => {
    const claims = [...rows].flatMap(([id, [, by = '']]) =>
      [...by.matchAll(/`([^`]+)`/g)].map(([, file = '']) => ({ id, file })),
    );
    expect(claims.length).toBeGreaterThan(5);
    expect(claims.filter(({ id, file }) => !tested.get(id)?.has(file))).toEqual([]);
  });
});

test('every pitfall on the page has a test with its number in the name', () => {
  const ids = [...rowsOf('T').keys()];
  expect(ids.length).toBeGreaterThan(30);
  expect(ids.filter((id) => !tested.has(id))).toEqual([]);
});
