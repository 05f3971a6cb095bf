import { expect, it } from 'vitest';
import type { Paddr, Ptr, Vaddr } from './addr.ts';
import { asPtr, paddr, vaddr } from './addr.ts';
import type { Brand } from './brand.ts';

it('keeps one kind of number from being passed for another', () => {
  const takesPaddr = (at: Paddr): number => at;
  const takesCte = (at: Ptr<'Cte'>): number => at;
  expect(takesPaddr(paddr(1))).toBe(1);
  expect(takesPaddr(asPtr<'Cte'>(2))).toBe(2); // a pointer is a physical address too
  // @ts-expect-error a plain number has not been checked
  expect(takesPaddr(3)).toBe(3);
  // @ts-expect-error a virtual address is not a physical one
  expect(takesPaddr(vaddr(4))).toBe(4);
  // @ts-expect-error not every physical address holds a Cte
  expect(takesCte(paddr(5))).toBe(5);
  // @ts-expect-error another structure lies there
  expect(takesCte(asPtr<'Dcb'>(6))).toBe(6);
  // @ts-expect-error a sum is a plain number again: say `offset`
  expect(takesPaddr(paddr(7) + 0)).toBe(7);
});

it('lets brands intersect', () => {
  const both = 8 as Brand<number, 'A'> & Brand<number, 'B'>;
  const one: Brand<number, 'A'> = both;
  const plain: number = one;
  const address: Vaddr = vaddr(plain);
  expect(address).toBe(8);
});
