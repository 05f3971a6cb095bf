import { OK, type Paddr, paddr } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import { PAGE, RamKernel } from '../test/ram-kernel.ts';
import { checkMm } from './check-mm.ts';
import { createMm } from './mm.ts';
import { MmList } from './mm-list.ts';
import type { MmNode } from './mm-store.ts';

/** A list whose nodes are told wrongly: `tell` turns the true ones into what it shows. */
class LyingList extends MmList<number> {
  private readonly tell: (nodes: readonly MmNode<number>[]) => readonly MmNode<number>[];

  constructor(tell: (nodes: readonly MmNode<number>[]) => readonly MmNode<number>[]) {
    super();
    this.tell = tell;
  }

  override nodes(): readonly MmNode<number>[] {
    return this.tell(super.nodes());
  }
}

/** Two allocated pages, then four free ones, in a region at 64 KiB. */
function check(tell: (allocated: MmNode<number>, free: MmNode<number>) => MmNode<number>[]) {
  const kernel = new RamKernel(8);
  const store = new LyingList((nodes) => {
    const [allocated, free] = nodes;
    return allocated && free ? tell(allocated, free) : nodes;
  });
  const mm = createMm<number>(Object.assign(kernel, { store }));
  expect(mm.add(kernel.boot(0x1_0000, 6))).toBe(OK);
  expect(mm.take(2 * PAGE).ok).toBe(true);
  return checkMm(mm);
}

const at = (node: MmNode<number>, base: number, bytes: number): MmNode<number> => ({
  ...node,
  base: paddr(base),
  bytes,
});

describe('checkMm', () => {
  it('finds nothing wrong with a list that is right', () => {
    expect(check((a, f) => [a, f])).toEqual([]);
  });

  it('finds nodes out of order', () => {
    expect(check((a, f) => [f, a])).toContain('node 0x10000 is out of order');
  });

  it('finds nodes that overlap', () => {
    const wrong = check((a, f) => [at(a, 0x1_0000, 3 * PAGE), f]);
    expect(wrong).toContain('node 0x12000 overlaps the one before');
  });

  it('finds a gap', () => {
    const wrong = check((a, f) => [a, at(f, 0x1_3000, 3 * PAGE)]);
    expect(wrong).toContain('region 0x10000 is not covered at 0x12000');
    expect(wrong).toContain('nodes hold 20480 bytes, not 24576');
    expect(wrong).toContain('12288 bytes are free, not 16384');
  });

  it('finds a region that is not covered to its end', () => {
    expect(check((a, f) => [a, at(f, 0x1_2000, PAGE)])).toContain(
      'region 0x10000 is covered up to 0x13000, not 0x16000',
    );
  });

  it('finds free neighbours of one parent that are not merged', () => {
    const wrong = check((a, f) => [a, at(f, 0x1_2000, PAGE), at(f, 0x1_3000, 3 * PAGE)]);
    expect(wrong).toEqual([
      'node 0x13000 is not merged with the free node before',
      'there are 3 nodes, not 2',
    ]);
  });

  it('finds nodes that are not whole pages', () => {
    const wrong = check((a, f) => [a, at(f, 0x1_2100, 100), at(f, 0x1_3000, 0)]);
    expect(wrong).toContain('node 0x12100 does not begin at a page');
    expect(wrong).toContain('node 0x12100 is not whole pages');
    expect(wrong).toContain('node 0x13000 is empty');
  });

  it('finds what the structure itself finds', () => {
    class Broken extends MmList<number> {
      override checkStructure(): string[] {
        return ['a link is broken'];
      }
    }
    const mm = createMm<number>(Object.assign(new RamKernel(1), { store: new Broken() }));
    expect(checkMm(mm)).toEqual(['a link is broken']);
  });
});

describe('the links of a list', () => {
  it('are checked in both directions', () => {
    const list = new MmList<number>();
    const base = (n: number): Paddr => paddr(n * PAGE);
    for (const n of [1, 3, 5]) expect(list.add({ cap: n, base: base(n), bytes: PAGE })).toBe(OK);
    expect(list.checkStructure()).toEqual([]);
    const head = Reflect.get(list, 'head');
    head.next.next.prev = head;
    expect(list.checkStructure()).toEqual(['node 2 does not point back to the one before']);
    head.next.next.next = head;
    expect(list.checkStructure()).toContain('4 nodes are linked, 3 are in use');
  });

  it('are counted', () => {
    const list = new MmList<number>(1);
    expect(list.add({ cap: 1, base: paddr(PAGE), bytes: PAGE })).toBe(OK);
    expect(list.setAside(0)).toBe(true);
    list.growNodes(0);
    Reflect.set(list, 'spare', -1);
    expect(list.checkStructure()).toEqual(['more nodes are in use than there may be']);
  });
});
