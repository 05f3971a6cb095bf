/** `drive mm`: the example of docs/drive.md, what the answers say, and input not of the form. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InputError } from './input.ts';
import { driveMm } from './mm.ts';

const PAGE = 4096;
const page = readFileSync(new URL('../../../../docs/drive.md', import.meta.url), 'utf8');
const [, section = ''] = page.split('## `mm`');

interface Output {
  readonly results: readonly { base?: string; bytes?: string; error?: string }[];
  readonly free: readonly { base: string; bytes: string; parent: string }[];
  readonly slots: number;
  readonly slabs: number;
}

function run(regions: readonly (readonly [number, number])[], ...ops: object[]): Output {
  const named = regions.map(([base, pages]) => ({ base, bytes: pages * PAGE }));
  return driveMm({ regions: named, ops }) as Output;
}

const alloc = (name: string, pages: number, more: object = {}): object => ({
  op: 'alloc',
  name,
  bytes: pages * PAGE,
  ...more,
});
const free = (name: string, more: object = {}): object => ({ op: 'free', name, ...more });
const answers = ({ results }: Output): (string | undefined)[] =>
  results.map(({ base, error }) => error ?? base);

test('the example of the documentation gives the answer that stands there', () => {
  const [input = '', output = ''] = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, json = '']) => json,
  );
  expect(driveMm(JSON.parse(input))).toEqual(JSON.parse(output));
});

describe('alloc', () => {
  test('is first fit, aligned, in a range', () => {
    const output = run(
      [[0x10_1000, 64]],
      alloc('a', 1),
      alloc('b', 2, { align: 4 * PAGE }),
      alloc('c', 1, { from: 0x11_0000, to: '0x111000' }),
      alloc('d', 1, { from: 0x11_0000, to: '0x111000' }),
      alloc('e', 1, { from: 0x1000_0000 }),
      alloc('f', 0),
      alloc('g', 1, { align: 3 }),
      alloc('h', 2 ** 39),
    );
    expect(answers(output)).toEqual([
      '0x101000',
      '0x104000',
      '0x110000',
      'MM_ERR_NOT_FOUND',
      'MM_ERR_OUT_OF_BOUNDS',
      'MM_ERR_INVALID_SIZE',
      'MM_ERR_INVALID_ALIGNMENT',
      'MM_ERR_NOT_FOUND',
    ]);
    expect(output.slots).toBe(3);
  });

  test('regions that touch stay two', () => {
    const output = run(
      [
        [0x10_0000, 8],
        [0x10_8000, 8],
      ],
      alloc('a', 9),
      alloc('b', 8),
      alloc('c', 8),
      free('b'),
      free('c'),
    );
    expect(answers(output)).toEqual([
      'MM_ERR_NOT_FOUND',
      '0x100000',
      '0x108000',
      '0x100000',
      '0x108000',
    ]);
    expect(output.free).toEqual([
      { base: '0x100000', bytes: '0x8000', parent: '0x100000' },
      { base: '0x108000', bytes: '0x8000', parent: '0x108000' },
    ]);
  });

  test('a name that is in use is refused, and free again once it is freed', () => {
    const output = run([[0, 4]], alloc('a', 1), alloc('a', 1), free('a'), alloc('a', 2));
    expect(answers(output)).toEqual(['0x0', 'SYS_ERR_SLOTS_IN_USE', '0x0', '0x0']);
  });
});

describe('free', () => {
  test('takes parts back, and what is left by its name', () => {
    const output = run(
      [[0, 16]],
      alloc('a', 8),
      free('a', { offset: PAGE, bytes: 7 * PAGE }),
      alloc('b', 7),
      free('a', { offset: PAGE }),
      free('a'),
      free('a'),
      free('b', { offset: 2 * PAGE, bytes: PAGE }),
      free('b'),
    );
    expect(answers(output)).toEqual([
      '0x0',
      '0x1000',
      '0x1000',
      'MM_ERR_NOT_ALLOCATED',
      '0x0',
      'MM_ERR_NOT_ALLOCATED',
      '0x3000',
      '0x1000',
    ]);
    expect(output.results.at(-1)?.bytes).toBe('0x6000');
    expect(output.free).toEqual([{ base: '0x0', bytes: '0x10000', parent: '0x0' }]);
    expect(output.slots).toBe(0);
  });

  test('refuses what the name does not stand for', () => {
    const output = run(
      [[0, 16]],
      alloc('a', 2),
      alloc('b', 2),
      free('a', { offset: 2 * PAGE }),
      free('a', { bytes: 3 * PAGE }),
      free('a', { offset: 100 }),
      free('a', { bytes: 0 }),
      free('nobody'),
    );
    const no = 'MM_ERR_NOT_ALLOCATED';
    expect(answers(output).slice(2)).toEqual([no, no, no, 'MM_ERR_INVALID_SIZE', no]);
    expect(output.slots).toBe(2);
  });
});

test('slabs of nodes are added before they run out', () => {
  const ops = Array.from({ length: 200 }, (_, i) => alloc(`${i}`, 1, { from: 2 * i * PAGE }));
  const output = run([[0, 1000]], ...ops);
  expect(new Set(answers(output)).size).toBe(200);
  expect(output.free).toHaveLength(200);
  expect(output.slabs).toBeGreaterThan(5);
});

test('memory beyond what an index can keep is managed as well', () => {
  const output = run([[0, 2 ** 39]], alloc('a', 1, { from: 2 ** 50 }), alloc('b', 2 ** 38));
  expect(answers(output)).toEqual(['0x4000000000000', '0x0']);
});

test.each([
  [{}, 'regions'],
  [{ regions: [{ base: 0 }], ops: [] }, 'regions.0.bytes'],
  [{ regions: [{ base: 0, bytes: 100 }], ops: [] }, 'regions.0'],
  [{ regions: [{ base: '0x10000000000000', bytes: PAGE }], ops: [] }, 'regions.0'],
  [
    {
      regions: [
        { base: 0, bytes: 2 * PAGE },
        { base: PAGE, bytes: PAGE },
      ],
      ops: [],
    },
    'regions.1',
  ],
  [{ regions: [], ops: [{ op: 'alloc', name: 'a', bytes: -1 }] }, 'ops.0.bytes'],
  [{ regions: [], ops: [{ op: 'steal', name: 'a' }] }, 'ops.0.op'],
])('%j names the field that is wrong', (document, field) => {
  let message = '';
  try {
    driveMm(document);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message = error.message;
  }
  expect(message.split(':')[0]).toBe(field);
});
