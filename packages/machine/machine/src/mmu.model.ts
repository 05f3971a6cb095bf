/**
 * What the MMU should do when the kernel invalidates what it changes: exactly what walking the
 * tables for every access does. Both sides have a memory of their own with the same tables, so that
 * the bits that walks set can be compared too.
 */

import { asPaddr, PhysMem } from '@barreleye/core';
import { Access, PageFlag, type Paging } from '@barreleye/spec';
import { Tables } from '../test/tables.ts';
import { Mmu, TLB_ENTRIES } from './mmu.ts';

const PAGE = 4096;
const RAM = 0x20_0000;
/** Only tables are looked at; the frames that pages show lie on top of them. */
const RAM_BYTES = 0x1_0000;
const TABLES_BYTES = 0x8000;
const FIRST_VA = 0x40_0000;
export const SPACE_COUNT = 2;
export const FRAME_COUNT = 4;
/** Pages in pairs that want the same place in the TLB. */
export const PAGE_COUNT = 4;

/** What an access came to, for comparing. */
export type Outcome = number | { readonly fault: string; readonly code: number };

/** An MMU, and the same tables without a TLB in front. Every page is mapped at first. */
export class MmuAndModel {
  private readonly paging: Paging;
  private readonly sides: readonly { readonly mem: PhysMem; readonly spaces: readonly Tables[] }[];
  private readonly mmu: Mmu;
  private space = 0;

  constructor(paging: Paging) {
    this.paging = paging;
    this.sides = [0, 1].map(() => {
      const mem = new PhysMem(new ArrayBuffer(RAM_BYTES), RAM);
      const spaces = Array.from(
        { length: SPACE_COUNT },
        (_, i) => new Tables(mem, paging, RAM + i * TABLES_BYTES),
      );
      return { mem, spaces };
    });
    this.mmu = new Mmu(this.side(0).mem, paging);
    for (let space = 0; space < SPACE_COUNT; space++) {
      for (let page = 0; page < PAGE_COUNT; page++) {
        this.map(space, page, (space + page) % FRAME_COUNT, PageFlag.Read | PageFlag.Write);
      }
    }
    this.enter(0);
  }

  /** Map page `page` of space `space`; a page that was there is invalidated. */
  map(space: number, page: number, frame: number, flags: number): void {
    const va = addressOf(page);
    const wasMapped = this.side(0).spaces[space]?.isMapped(va) ?? false;
    for (const { spaces } of this.sides) spaces[space]?.map(va, RAM + frame * PAGE, flags);
    if (wasMapped) this.mmu.invalidatePage(va);
  }

  unmap(space: number, page: number, forget: 'page' | 'tag' | 'all'): void {
    const va = addressOf(page);
    for (const { spaces } of this.sides) spaces[space]?.unmap(va);
    if (forget === 'page') this.mmu.invalidatePage(va);
    else if (forget === 'tag') this.mmu.invalidateTag(space);
    else this.mmu.invalidateAll();
  }

  /** Switch to address space `space`. */
  enter(space: number): void {
    this.space = space;
    this.mmu.root = this.rootOf(0);
    this.mmu.tag = space;
  }

  /** What the MMU makes of an access, and what a walk makes of it. */
  access(page: number, at: number, kind: number): { mmu: Outcome; model: Outcome } {
    const va = addressOf(page) + at;
    const found = this.mmu.translate(va, kind);
    const walker = this.paging.createWalker(this.side(1).mem);
    const walked = walker.walk(this.rootOf(1), va, kind | Access.User);
    return { mmu: outcome(found, this.mmu.walker), model: outcome(walked, walker) };
  }

  /** Whether both memories hold the same, accessed and dirty bits included. */
  hasEqualMemories(): boolean {
    const [words, others] = this.sides.map(({ mem }) => mem.words);
    return words?.every((word, i) => word === others?.[i]) ?? false;
  }

  private rootOf(side: number): ReturnType<typeof asPaddr> {
    return this.side(side).spaces[this.space]?.root ?? asPaddr(0);
  }

  private side(i: number): { readonly mem: PhysMem; readonly spaces: readonly Tables[] } {
    const side = this.sides[i];
    if (side === undefined) throw new Error('there are two sides');
    return side;
  }
}

function addressOf(page: number): number {
  const rival = (page % 2) * (TLB_ENTRIES + 1) * PAGE;
  return (FIRST_VA + Math.floor(page / 2) * PAGE) ^ rival;
}

function outcome(
  found: number,
  { faultName, faultCode }: { readonly faultName: string; readonly faultCode: number },
): Outcome {
  return found >= 0 ? found : { fault: faultName, code: faultCode };
}
