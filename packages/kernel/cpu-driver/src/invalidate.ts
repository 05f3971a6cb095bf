/**
 * The kernel's part of a shoot-down. A core forgets by itself what its own calls change. Whoever
 * changes tables through which other cores translate tells their monitors, and each of those has
 * its kernel forget.
 */

import { BASE_PAGE_BITS, BASE_PAGE_SIZE, type Errval, isAligned, OK } from '@barreleye/core';
import { Err, Kcb } from '@barreleye/spec';
import { count, type Kernel } from './kernel.ts';

/** More pages than this are not looked for one by one; all translations go. */
const MAX_SINGLE_PAGES = 32;

/**
 * `KernelCmd.Invalidate`: forget the translations of a run of pages in every address space, or all
 * that there are.
 * @errors SYS_ERR_INVARGS_SYSCALL not the address of a page, or beyond user mode
 */
export function invalidate(k: Kernel): Errval {
  const { hal, args } = k;
  const [low = 0, high = 0, pageCount = 0] = args;
  const first = high * 2 ** 32 + low;
  const { userBase, userLimit } = hal.arch;
  const isAll = first === 0 && pageCount === 0;
  const isRange =
    pageCount > 0 &&
    isAligned(first, BASE_PAGE_BITS) &&
    first >= userBase &&
    first < userLimit &&
    pageCount <= (userLimit - first) / BASE_PAGE_SIZE;
  if (!isAll && !isRange) return Err.SYS_ERR_INVARGS_SYSCALL;
  count(k, Kcb.invalidations);
  if (isAll || pageCount > MAX_SINGLE_PAGES) {
    hal.invalidateAll();
    return OK;
  }
  for (let i = 0; i < pageCount; i++) hal.invalidatePage(first + i * BASE_PAGE_SIZE);
  return OK;
}
