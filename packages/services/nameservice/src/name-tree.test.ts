/** The tree against a map, and how high it grows. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameTree } from './name-tree.ts';

function valuesOf(tree: NameTree<string>, from = ''): string[] {
  const values: string[] = [];
  tree.visitFrom(from, (value) => values.push(value) > 0);
  return values;
}

/** The most that a balanced tree of so many names may have: AVL, 1.4405 log2(n + 2) - 0.3277. */
function highest(count: number): number {
  return 1.4405 * Math.log2(count + 2) - 0.3277;
}

describe('a tree of names', () => {
  it('agrees with a map after every change, and stays low (seed 78)', () => {
    const names = fc.array(fc.stringMatching(/^[a-c]{1,4}$/), { maxLength: 200 });
    const property = fc.property(names, (toggled) => {
      const tree = new NameTree<string>();
      const map = new Map<string, string>();
      for (const [i, name] of toggled.entries()) {
        if (map.delete(name)) {
          tree.remove(name);
        } else {
          map.set(name, `${name} ${i}`);
          tree.add(name, `${name} ${i}`);
        }
        expect(tree.height).toBeLessThanOrEqual(Math.max(0, highest(map.size)));
        const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        const behind = sorted.filter(([key]) => key >= name).map(([, value]) => value);
        expect(valuesOf(tree, name)).toEqual(behind);
        expect(valuesOf(tree)).toEqual(sorted.map(([, value]) => value));
      }
    });
    fc.assert(property, { seed: 78, numRuns: 200 });
  });

  it.each<[string, (i: number) => number]>([
    ['in order', (i) => i],
    ['in reverse', (i) => 9999 - i],
    ['from both ends', (i) => (i % 2 === 0 ? i : 9999 - i)],
  ])('stays low when names come and go %s', (_, order) => {
    const tree = new NameTree<number>();
    for (let i = 0; i < 10_000; i++) tree.add(`n${10_000 + order(i)}`, i);
    expect(tree.height).toBeLessThanOrEqual(highest(10_000));
    for (let i = 0; i < 9990; i++) tree.remove(`n${10_000 + order(i)}`);
    const left: number[] = [];
    tree.visitFrom('', (value) => left.push(value) > 0);
    expect(left).toHaveLength(10);
    expect(tree.height).toBeLessThanOrEqual(highest(10));
  });

  it('shows no more than is wanted, and looks at little else', () => {
    const tree = new NameTree<string>();
    for (let i = 0; i < 1000; i++) tree.add(`n${1000 + i}`, `n${1000 + i}`);
    const seen: string[] = [];
    tree.visitFrom('n1500', (value) => seen.push(value) < 3);
    expect(seen).toEqual(['n1500', 'n1501', 'n1502']);
  });
});
