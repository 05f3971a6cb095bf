/** `drive vspace`: what the library believes, beside what a walker reads in the page tables. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from './input.ts';
import { driveMmu } from './mmu.ts';
import { driveVspace } from './vspace.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const SEED = 71;

interface Answer {
  readonly results: readonly { va?: string; error?: string; fault?: object }[];
  readonly root: string;
  readonly memory: readonly object[];
  readonly mapped: readonly { va: string; bytes: number; pa: string; flags: string }[];
  readonly free: number;
}

const ARCHS = [
  { arch: 'x86_64', walk: 'x86_64', large: 2 * MIB, fixed: 0x90_0000_0000 },
  { arch: 'x86_32', walk: 'i386', large: 4 * MIB, fixed: 0x5000_0000 },
  { arch: 'x86_32_pae', walk: 'pae', large: 2 * MIB, fixed: 0x5000_0000 },
  { arch: 'armv7', walk: 'armv7', large: MIB, fixed: 0x5000_0000 },
] as const;

type Arch = (typeof ARCHS)[number];

function drive({ arch }: Arch, ops: readonly object[], ramBytes = 16 * MIB): Answer {
  return driveVspace({ arch, ramBytes, ops }) as Answer;
}

/**
 * Each page that the library believes in, and the one behind each range, as the walker sees them.
 * Without PAE no page can be kept from being executed.
 */
function expectWalkerAgrees({ walk }: Arch, answer: Answer): void {
  const probes: object[] = [];
  const expected: unknown[] = [];
  const shown = new Set<number>();
  for (const { va, bytes, pa, flags } of answer.mapped) {
    for (let at = 0; at < bytes; at += PAGE) {
      shown.add(Number(va) + at);
      for (const access of walk === 'i386' ? ['r', 'w'] : ['r', 'w', 'x']) {
        probes.push({ va: `0x${(Number(va) + at).toString(16)}`, access, user: true });
        expected.push(flags.includes(access) ? `0x${(Number(pa) + at).toString(16)}` : 'fault');
      }
    }
  }
  for (const { va, bytes } of answer.mapped) {
    const behind = Number(va) + bytes;
    if (shown.has(behind)) continue;
    probes.push({ va: `0x${behind.toString(16)}`, access: 'r', user: true });
    expected.push('fault');
  }
  const { root, memory } = answer;
  const walked = driveMmu({ arch: walk, root, memory, probes }) as {
    probes: { pa?: string; fault?: object }[];
  };
  expect(walked.probes.map(({ pa, fault }) => (fault === undefined ? pa : 'fault'))).toEqual(
    expected,
  );
}

describe.each(ARCHS)('drive vspace for $arch', (arch) => {
  const { large, fixed } = arch;

  it('maps, touches, protects, deletes and unmaps', () => {
    const hex = (va: number): string => `0x${va.toString(16)}`;
    const answer = drive(arch, [
      { op: 'map', name: 'small', bytes: 3 * PAGE, flags: 'rw' },
      { op: 'map', name: 'large', bytes: 2 * large, va: fixed, flags: 'rx', pageBytes: large },
      { op: 'touch', va: fixed + large, access: 'x' },
      { op: 'touch', va: fixed + large, access: 'w' },
      { op: 'map', name: 'again', bytes: PAGE, va: fixed + PAGE, flags: 'r' },
      { op: 'protect', name: 'small', flags: 'r' },
      { op: 'map', name: 'gone', bytes: PAGE, flags: 'rw', va: fixed - large },
      { op: 'deleteFrame', name: 'gone' },
      { op: 'touch', va: fixed - large, access: 'r' },
      { op: 'unmap', name: 'gone' },
      { op: 'touch', va: 0x10, access: 'r' },
    ]);
    expect(answer.results.map(({ va, error }) => error ?? va)).toEqual([
      expect.stringMatching(/^0x/),
      hex(fixed),
      hex(fixed + large),
      'LIB_ERR_PAGE_FAULT_ACCESS',
      'LIB_ERR_PMAP_EXISTING_MAPPING',
      expect.stringMatching(/^0x/),
      hex(fixed - large),
      hex(fixed - large),
      'LIB_ERR_PAGE_FAULT_NO_REGION',
      'LIB_ERR_PMAP_NOT_MAPPED',
      'LIB_ERR_PAGE_FAULT_NO_REGION',
    ]);
    expect(answer.mapped.map(({ bytes, flags }) => [bytes, flags])).toEqual([
      [3 * PAGE, 'r'],
      [2 * large, 'rx'],
    ]);
    expectWalkerAgrees(arch, answer);
  });

  it('backs lazy pages when they are touched, and gets all of them back', () => {
    const region = { op: 'map', name: 'heap', bytes: 64 * MIB, va: fixed, flags: 'rw', lazy: true };
    const touches = [0, 5, 900].map((page) => {
      return { op: 'touch', va: fixed + page * PAGE, access: page === 5 ? 'r' : 'w' };
    });
    const answer = drive(arch, [region, ...touches]);
    expect(answer.mapped.map(({ va }) => (Number(va) - fixed) / PAGE)).toEqual([0, 5, 900]);
    expectWalkerAgrees(arch, answer);
    const nothing = drive(arch, [region]);
    expect(nothing.mapped).toEqual([]);
    expect(nothing.free - answer.free).toBeGreaterThanOrEqual(3 * PAGE);
    const undone = drive(arch, [region, ...touches, { op: 'unmap', name: 'heap' }]);
    expect(undone.free - answer.free).toBe(3 * PAGE);
  });

  it('says what went wrong when memory runs out, and goes on', () => {
    const answer = drive(arch, [
      { op: 'map', name: 'much', bytes: 2 ** 40, flags: 'rw' },
      { op: 'map', name: 'some', bytes: PAGE, flags: 'rw' },
    ]);
    expect(answer.results[0]).toHaveProperty('error', 'MM_ERR_NOT_FOUND');
    expect(answer.results[1]).toHaveProperty('va');
  });

  it(`agrees with the walker after any history (seed ${SEED})`, () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const flags = fc.constantFrom('r', 'rw', 'rx', 'rwx');
    const page = fc.nat(40).map((n) => fixed + n * PAGE);
    const op = fc.oneof(
      fc.record({
        op: fc.constant('map'),
        name,
        bytes: fc.integer({ min: 1, max: 12 * PAGE }),
        va: page,
        flags,
        lazy: fc.boolean(),
      }),
      fc.record({ op: fc.constantFrom('unmap', 'deleteFrame'), name }),
      fc.record({ op: fc.constant('protect'), name, flags }),
      fc.record({ op: fc.constant('touch'), va: page, access: fc.constantFrom('r', 'w', 'x') }),
    );
    const property = fc.property(fc.array(op, { maxLength: 24 }), (ops) => {
      const answer = drive(arch, ops, MIB);
      expect(answer.results).toHaveLength(ops.length);
      expectWalkerAgrees(arch, answer);
    });
    fc.assert(property, { seed: SEED, numRuns: 12 });
  });
});

describe('a case that is not of the form', () => {
  it.each([
    ['arch', { arch: 'vax', ramBytes: MIB, ops: [] }],
    ['ramBytes', { arch: 'armv7', ramBytes: 5, ops: [] }],
    ['ramBytes', { arch: 'armv7', ramBytes: 2 ** 40, ops: [] }],
    ['ramBytes', { arch: 'armv7', ops: [] }],
    [
      'ops.0.flags',
      { arch: 'armv7', ramBytes: MIB, ops: [{ op: 'map', name: 'a', bytes: 1, flags: 'z' }] },
    ],
    ['ops.0', { arch: 'armv7', ramBytes: MIB, ops: [{ op: 'fly' }] }],
  ])('is refused at %s', (field, document) => {
    expect(() => driveVspace(document)).toThrow(InputError);
    expect(() => driveVspace(document)).toThrow(field);
  });
});
