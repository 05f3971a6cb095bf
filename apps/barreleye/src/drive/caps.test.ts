/** `drive caps`: the kernel's answers to capability operations, by name. */

import { describe, expect, test } from 'vitest';
import { driveCaps } from './caps.ts';
import { InputError } from './input.ts';

const MIB = 2 ** 20;

interface Output {
  readonly results: readonly { readonly ok?: boolean; readonly error?: string }[];
  readonly cores: readonly { readonly caps: readonly { readonly name: string }[] }[];
  readonly invariants: readonly { readonly id: string; readonly ok: boolean }[];
}

function run(...ops: object[]): Output {
  return driveCaps({ ramBytes: 2 * MIB, ops }) as Output;
}

function errors(output: Output): string[] {
  return output.results.map(({ error }) => error ?? 'OK');
}

function frame(dst: string, offset: number, pages: number, count = 1): object {
  return {
    op: 'retype',
    src: 'ram0',
    type: 'Frame',
    offset,
    bytes: pages * 4096,
    count,
    dst: [dst],
  };
}

describe('retype', () => {
  test('children lie exactly where they were cut', () => {
    const { results } = run(
      frame('f', 0, 1),
      { op: 'retype', src: 'ram0', type: 'RAM', offset: 4096, bytes: 16384, dst: ['r'] },
      { op: 'identify', cap: 'ram0' },
      { op: 'identify', cap: 'f' },
      { op: 'identify', cap: 'r' },
    );
    const [, , ram, f, r] = results as readonly { base: string; bytes: string; type: string }[];
    const base = Number(ram?.base);
    expect(f).toMatchObject({ type: 'Frame', bytes: '0x1000', base: `0x${base.toString(16)}` });
    expect(r).toMatchObject({ bytes: '0x4000', base: `0x${(base + 4096).toString(16)}` });
  });

  test('what overlaps a child needs a revoke first, and leaves its slot empty', () => {
    const output = run(
      frame('f', 0, 32),
      frame('a', 16 * 4096, 16),
      frame('b', 4096, 31),
      frame('c', 4 * 4096, 31),
      frame('d', 0, 32),
    );
    expect(errors(output)).toEqual(['OK', ...Array(4).fill('SYS_ERR_REVOKE_FIRST')]);
    expect(output.cores[0]?.caps.map(({ name }) => name)).toEqual(['ram0', 'f']);
  });

  test('a deleted child frees its range', () => {
    const output = run(frame('f', 0, 1), { op: 'delete', cap: 'f' }, frame('f', 0, 1));
    expect(errors(output)).toEqual(['OK', 'OK', 'OK']);
  });

  test('odd offsets, sizes and counts are refused, each with its error', () => {
    expect(
      errors(
        run(
          frame('x', 1024, 1),
          frame('x', 2 * MIB, 1),
          frame('x', 0, 1.5),
          frame('x', 0, 1, 513),
          frame('x', 0, 513),
          { ...frame('x', 0, 1), offset: '0xfffffffffffff000' },
        ),
      ),
    ).toEqual([
      'SYS_ERR_RETYPE_INVALID_OFFSET',
      'SYS_ERR_RETYPE_INVALID_OFFSET',
      'SYS_ERR_INVALID_SIZE',
      'SYS_ERR_RETYPE_INVALID_COUNT',
      'SYS_ERR_INVALID_SIZE',
      'SYS_ERR_RETYPE_INVALID_OFFSET',
    ]);
  });

  test('several objects go to consecutive slots, all of which must be free', () => {
    const two = { ...frame('', 0, 1, 2), dst: ['a', 'b'] };
    const output = run(two, { ...frame('', 8192, 1, 2), dst: ['c', 'b'] });
    expect(errors(output)).toEqual(['OK', 'SYS_ERR_SLOTS_IN_USE']);
  });
});

test('revoking RAM takes CNodes and everything in them', () => {
  const output = run(
    { op: 'retype', src: 'ram0', type: 'L1CNode', offset: 0, bytes: 16384, dst: ['l1'] },
    { op: 'retype', src: 'ram0', type: 'L1CNode', offset: 16384, bytes: 32768, dst: ['big'] },
    { op: 'retype', src: 'ram0', type: 'L2CNode', offset: 65536, bytes: 16384, dst: ['l2'] },
    { op: 'revoke', cap: 'ram0' },
  );
  expect(errors(output)).toEqual(['OK', 'OK', 'OK', 'OK']);
  expect(output.cores[0]?.caps.map(({ name }) => name)).toEqual(['ram0']);
  expect(output.invariants.filter(({ ok }) => !ok)).toEqual([]);
});

test('a page that is mapped may not be mapped over, and rights are kept', () => {
  const output = run(
    frame('f', 0, 1),
    { op: 'mint', src: 'f', dst: 'readonly', rights: 1 },
    { op: 'retype', src: 'ram0', type: 'VNode_x86_64_ptable', offset: 8192, dst: ['pt'] },
    { op: 'map', table: 'pt', slot: 3, frame: 'f', flags: 'rw', dst: 'm' },
    { op: 'map', table: 'pt', slot: 3, frame: 'f', flags: 'rw', dst: 'n' },
    { op: 'map', table: 'pt', slot: 4, frame: 'readonly', flags: 'rw', dst: 'n' },
    { op: 'unmap', table: 'pt', dst: 'm' },
    { op: 'map', table: 'pt', slot: 3, frame: 'f', flags: 'rw', dst: 'n' },
  );
  expect(errors(output)).toEqual([
    'OK',
    'OK',
    'OK',
    'OK',
    'SYS_ERR_VNODE_SLOT_INUSE',
    'SYS_ERR_VM_MAP_RIGHTS',
    'OK',
    'OK',
  ]);
});

test.each([
  [{}, 'ramBytes'],
  [{ ramBytes: 100, ops: [] }, 'ramBytes'],
  [{ ramBytes: '0x100000000000', ops: [] }, 'ramBytes'],
  [{ ramBytes: 4096, cores: 2, ops: [] }, 'cores'],
  [{ ramBytes: 4096, ops: [{ op: 'retype' }] }, 'ops.0'],
  [{ ramBytes: 4096, ops: [{ op: 'steal', cap: 'x' }] }, 'ops.0'],
  [{ ramBytes: 4096, ops: [{ op: 'delete', cap: 'x', core: 1 }] }, 'ops.0.core'],
  [{ ramBytes: 4096, ops: 'none' }, 'ops'],
  [[], 'input'],
])('%j names the field that is wrong', (document, field) => {
  let message = '';
  try {
    driveCaps(document);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message = error.message;
  }
  expect(message.split(':')[0]).toContain(field);
});
