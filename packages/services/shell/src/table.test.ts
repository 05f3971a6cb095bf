/** Columns of text. */

import { expect, it } from 'vitest';
import { formatColumns, formatTable } from './table.ts';

it('has its columns one below the other', () => {
  const columns = [
    { heading: 'id', align: 'right' },
    { heading: 'name', align: 'left' },
    { heading: 'more', align: 'left' },
  ] as const;
  const rows = [
    ['7', 'Grüße', ''],
    ['1234', 'x', 'y'],
  ];
  expect(formatTable(columns, rows)).toEqual([
    '  id  name   more',
    '   7  Grüße',
    '1234  x      y',
  ]);
});

it('reads words downwards in as many columns as fit', () => {
  const words = ['a', 'bb', 'ccc', 'd', 'e'];
  expect(formatColumns(words, 13)).toEqual(['a    ccc  e', 'bb   d']);
  expect(formatColumns(words, 12)).toEqual(['a    d', 'bb   e', 'ccc']);
  expect(formatColumns(words, 1)).toEqual(words);
  expect(formatColumns([], 80)).toEqual([]);
});
