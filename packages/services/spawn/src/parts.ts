/** What a domain is made of, noted as it is made, so that all of it can go again in any state. */

import { assert, type Errval, isOk, OK, type Result } from '@barreleye/core';
import { type Capref, capDelete, capRetypeAny, capRevoke, holds, type Sys } from '@barreleye/libos';
import type { MemorySource } from '@barreleye/paging';
import { type CapTypeName, capTypeInfo, ObjType } from '@barreleye/spec';

const PAGE_BYTES = 4096;

export class Parts {
  private readonly sys: Sys;
  private readonly source: MemorySource;
  /** What takes a part back, the first made first. */
  private readonly undos: (() => Errval)[];

  constructor(sys: Sys, source: MemorySource) {
    this.sys = sys;
    this.source = source;
    this.undos = [];
  }

  /** A new object in RAM of its own. `bytes` counts where the type has no size of its own. */
  make<T extends CapTypeName>(type: T, bytes = 0): Result<Capref<T>> {
    const objectBytes = capTypeInfo(ObjType[type]).bytes || bytes;
    const ram = this.source.allocRam(Math.max(PAGE_BYTES, objectBytes));
    if (!ram.ok) return ram;
    this.undos.push(() => this.source.freeRam(ram.value));
    const slot = this.source.allocSlot();
    if (!slot.ok) return slot;
    this.undos.push(() => this.freeSlot(slot.value));
    const range = { offset: 0, objectBytes, count: 1 };
    const made = capRetypeAny(this.sys, slot.value, ram.value.cap, type, range);
    if (!made.ok) return made;
    this.undos.push(() => this.destroy(made.value));
    return { ok: true, value: holds<T>(made.value) };
  }

  /** Note how to take back something else. */
  add(undo: () => Errval): void {
    this.undos.push(undo);
  }

  /**
   * Take everything back, the last made first.
   * @errors what the first step that failed said; those before it are done
   */
  undo(): Errval {
    for (let last = this.undos.at(-1); last !== undefined; last = this.undos.at(-1)) {
      const err = last();
      if (!isOk(err)) return err;
      this.undos.pop();
    }
    return OK;
  }

  /** Whatever the domain has made of it goes, too. */
  private destroy(cap: Capref): Errval {
    const err = capRevoke(this.sys, cap);
    return isOk(err) ? capDelete(this.sys, cap) : err;
  }

  private freeSlot(slot: Capref): Errval {
    this.source.freeSlot(slot);
    return OK;
  }
}

/** Panics when something that was just made cannot be taken back. */
export function mustUndo(parts: Parts): void {
  assert(isOk(parts.undo()), 'what was just made can be taken back');
}
