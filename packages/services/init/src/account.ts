/**
 * Who pays for memory. Every domain has an account with a quota, cut out of that of the domain that
 * started it: so nobody gets more by starting others. What is charged to an account comes back when
 * it is closed, whatever its domain has made of it and whoever else has got copies.
 */

import {
  alignDown,
  alignUp,
  asPaddr,
  assert,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type Errval,
  fail,
  isAligned,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capRetype,
  capRevoke,
  type Os,
  type RamBlock,
  type RamSource,
} from '@barreleye/libos';
import type { Mm } from '@barreleye/mm';
import type { Held } from '@barreleye/monitor';
import { Err, type PackageRam } from '@barreleye/spec';

/** RAM for a domain to see: the capability, which is to be given away, and what it covers. */
export interface Grant {
  readonly ram: Capref<'RAM'>;
  readonly base: number;
  readonly bytes: number;
}

/** A block that outlives the account that it was charged to. */
class HeldBlock implements Held {
  /** Whose it is now. */
  account: Account;
  readonly block: RamBlock;

  constructor(account: Account, block: RamBlock) {
    this.account = account;
    this.block = block;
  }

  get ram(): Capref<'RAM'> {
    return this.block.cap;
  }

  release(): void {
    this.account.release(this);
  }
}

export class Account implements RamSource {
  private readonly os: Os;
  private readonly mm: Mm<Capref<'RAM'>>;
  private parent: Account | undefined;
  private readonly children: Set<Account>;
  /** What is out, by base address. */
  private readonly blocks: Map<number, RamBlock>;
  /** Those of them that are grants, likewise. */
  private readonly grants: Map<number, RamBlock>;
  /** Those that go over to the origin of the account when it is closed. */
  private readonly held: Set<HeldBlock>;
  private used: number;
  private quota: number;

  constructor(os: Os, mm: Mm<Capref<'RAM'>>, quotaBytes: number, parent?: Account) {
    assert(isAligned(quotaBytes, BASE_PAGE_BITS), 'all that is left can be given away');
    this.os = os;
    this.mm = mm;
    this.parent = parent;
    this.children = new Set();
    this.blocks = new Map();
    this.grants = new Map();
    this.held = new Set();
    this.used = 0;
    this.quota = quotaBytes;
  }

  /** The most that may be in use: whole pages. */
  get quotaBytes(): number {
    return this.quota;
  }

  /** There is more RAM, which nobody has paid for yet: whole pages. */
  grow(bytes: number): void {
    this.quota += bytes;
  }

  /** RAM that is out, and the quotas of accounts that were cut out of this one. */
  get usedBytes(): number {
    return this.used;
  }

  /** What can still be had. */
  get leftBytes(): number {
    return this.quotaBytes - this.used;
  }

  /**
   * @param within where all of it must lie
   * @errors INIT_ERR_QUOTA; those of `Mm.alloc`
   */
  alloc(bytes: number, alignBytes: number, within?: PackageRam): Result<RamBlock> {
    if (bytes > this.leftBytes) return fail(Err.INIT_ERR_QUOTA);
    const block = this.mm.alloc(bytes, { alignBytes, from: within?.base, to: within?.end });
    if (!block.ok) return block;
    const { value } = block;
    this.blocks.set(value.base, value);
    this.used += value.bytes;
    if (this.used <= this.quotaBytes) return succeed(value);
    this.mustFree(value);
    return fail(Err.INIT_ERR_QUOTA);
  }

  /**
   * RAM for a domain to see. It can revoke what it sees: every capability of the same RAM. So it
   * is cut out of a block that is a page longer, and what is kept here is one of the block.
   * @errors those of `alloc`; no slot
   */
  grant(bytes: number, alignBytes: number): Result<Grant> {
    const { sys, slots } = this.os;
    const granted = alignUp(bytes, BASE_PAGE_BITS);
    const block = this.alloc(granted + BASE_PAGE_SIZE, alignBytes);
    if (!block.ok) return block;
    const { base, cap } = block.value;
    const range = { offset: 0, objectBytes: granted, count: 1 };
    const ram = slots.fill((slot) => capRetype(sys, slot, cap, 'RAM', range));
    if (!ram.ok) {
      this.mustFree(block.value);
      return ram;
    }
    this.grants.set(base, block.value);
    return succeed({ ram: ram.value, base, bytes: granted });
  }

  /** RAM that stays when the account is closed, until it is released. @errors those of `alloc` */
  hold(bytes: number): Result<Held> {
    const block = this.alloc(bytes, BASE_PAGE_SIZE);
    if (!block.ok) return block;
    const held = new HeldBlock(this, block.value);
    this.held.add(held);
    return succeed(held);
  }

  /** For what it holds: nothing is made of the block any more. */
  release(held: HeldBlock): void {
    this.held.delete(held);
    this.mustFree(held.block);
  }

  /** Take back the grant that begins at `base`. @errors INIT_ERR_NOT_YOURS; those of `reclaim` */
  takeBack(base: number): Errval {
    const block = this.grants.get(base);
    if (block === undefined) return Err.INIT_ERR_NOT_YOURS;
    const err = this.reclaim(block);
    if (isOk(err)) this.grants.delete(base);
    return err;
  }

  /** Take back a block. @errors INIT_ERR_NOT_YOURS; LIB_ERR_CAP_DELETE over the reason */
  free(block: RamBlock): Errval {
    if (this.blocks.get(block.base) !== block) return Err.INIT_ERR_NOT_YOURS;
    const err = this.mm.free({ ...block, base: asPaddr(block.base) });
    if (!isOk(err)) return err;
    this.blocks.delete(block.base);
    this.used -= block.bytes;
    return OK;
  }

  /** Take back a block with everything that was made of it, by whomever. */
  private reclaim(block: RamBlock): Errval {
    const err = capRevoke(this.os.sys, block.cap);
    return isOk(err) ? this.free(block) : err;
  }

  /** Cut out an account of whole pages for another domain. @errors INIT_ERR_QUOTA */
  open(quotaBytes: number): Result<Account> {
    const quota = alignDown(quotaBytes, BASE_PAGE_BITS);
    if (quota > this.leftBytes) return fail(Err.INIT_ERR_QUOTA);
    const child = new Account(this.os, this.mm, quota, this);
    this.children.add(child);
    this.used += quota;
    return succeed(child);
  }

  /** Take everything back. What it holds, and accounts cut out of it, go over to its origin. */
  close(): void {
    for (const { block } of this.held) this.blocks.delete(block.base);
    for (const block of this.blocks.values()) {
      const err = this.reclaim(block);
      assert(isOk(err), 'RAM can be taken back from a domain that has ended');
    }
    const { parent } = this;
    if (parent === undefined) return;
    parent.children.delete(this);
    parent.used -= this.quotaBytes;
    for (const child of this.children) {
      child.parent = parent;
      parent.children.add(child);
      parent.used += child.quotaBytes;
    }
    for (const held of this.held) {
      held.account = parent;
      parent.held.add(held);
      parent.blocks.set(held.block.base, held.block);
      parent.used += held.block.bytes;
    }
    this.children.clear();
    this.held.clear();
    this.grants.clear();
    this.parent = undefined;
  }

  private mustFree(block: RamBlock): void {
    const err = this.free(block);
    assert(isOk(err), 'what was just allocated can be freed');
  }
}
