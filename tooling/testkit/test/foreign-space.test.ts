/**
 * A domain builds an address space for a core of another architecture with the library that it uses
 * for its own. Nobody here translates through it; a walker of that architecture says what it shows.
 */

import { asPaddr, type Paddr } from '@barreleye/core';
import { type Capref, capIdentify, capRetypeAny, holds, unwrap } from '@barreleye/libos';
import { Vspace } from '@barreleye/paging';
import { Access, CAP_TYPE_NAMES, PageFlag, type Paging, type VNodeTypeName } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { type FirstDomain, runFirstDomain, TARGETS } from '../src/index.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const RW = PageFlag.Read | PageFlag.Write;

const PAIRS = TARGETS.flatMap((target) =>
  (target.target.foreignFormats ?? []).map((format) => ({
    name: `${format.name} on ${target.name}`,
    target,
    format,
  })),
);

/** RAM of the domain, and a capability of `type` for all of it. */
function make({ os, memory }: FirstDomain, type: VNodeTypeName | 'Frame', bytes: number): Capref {
  const ram = unwrap(memory.mm.alloc(bytes, { alignBytes: 4 * MIB }));
  const range = { offset: 0, objectBytes: bytes, count: 1 };
  return unwrap(capRetypeAny(os.sys, os.allocSlot(), ram.cap, type, range));
}

/** An empty address space of `format`. */
function createSpace(domain: FirstDomain, format: Paging): { space: Vspace; root: Paddr } {
  const { os, memory } = domain;
  const [shape] = format.levels;
  const type = CAP_TYPE_NAMES[format.rootType] as VNodeTypeName;
  const root = holds<VNodeTypeName>(make(domain, type, Math.max(shape?.tableBytes ?? 0, PAGE)));
  const { source } = memory;
  const to = 2 ** 31;
  const space = new Vspace({ sys: os.sys, paging: format, root, source, from: MIB, to });
  return { space, root: asPaddr(unwrap(capIdentify(os.sys, root)).base) };
}

describe.each(PAIRS)('an address space of $name', ({ target, format }) => {
  test('shows what was mapped, in pages of every size, as its own hardware sees it', () => {
    let root = asPaddr(0);
    const shown: { va: number; pa: number }[] = [];
    const system = runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const made = createSpace(domain, format);
        root = made.root;
        const bytes = 8 * MIB + 3 * PAGE;
        const frame = holds<'Frame'>(make(domain, 'Frame', bytes));
        const { base: physical } = unwrap(capIdentify(os.sys, frame));
        const { base } = unwrap(made.space.map({ frame, bytes, flags: RW }));
        expect(new Set([...made.space.mapped()].map(({ pageBits }) => pageBits)).size).toBe(2);
        const small = unwrap(made.space.map({ frame, bytes: PAGE, flags: RW, offset: 5 * PAGE }));
        for (let at = 0; at < bytes; at += PAGE) shown.push({ va: base + at, pa: physical + at });
        shown.push({ va: small.base, pa: physical + 5 * PAGE });
        yield* os.preempt();
      },
      { ramBytes: 64 * MIB },
    );
    const walker = format.createWalker(system.machine.mem);
    const walk = (va: number): number => walker.walk(root, va, Access.Write | Access.User);
    for (const { va, pa } of shown) expect(walk(va + 12)).toBe(pa + 12);
    const last = shown.at(-2)?.va ?? 0;
    expect(walk(last + PAGE)).toBeLessThan(0);
    expect(walk(0)).toBeLessThan(0);
  });
});

test('every target can build tables for the other two architectures', () => {
  expect(PAIRS).toHaveLength(2 * TARGETS.length);
});
