/**
 * The memory of a domain. The allocators are plain calls over a pool of RAM; the pool is filled
 * from init, which takes a wait. So whoever is about to need much, says so before (`reserve`), and
 * the pool is never let fall below what page tables and slots take in between.
 */

import { asPaddr, BASE_PAGE_SIZE, type Errval } from '@barreleye/core';
import { type Capref, type Os, OsError, type Wait } from '@barreleye/libos';
import type { Mm } from '@barreleye/mm';
import type { MemorySource, TableShape, Vspace } from '@barreleye/paging';
import { createAllocators } from './allocators.ts';
import type { SystemClient } from './interfaces/system.ts';

/** The least that is asked of init at once. */
const GRANT_BYTES = 256 * 1024;
/** What is there for page tables and slots. */
const SPARE_BYTES = 128 * 1024;
/** Slots that are there for what cannot wait. */
const SPARE_SLOTS = 64;

export class DomainMemory {
  readonly mm: Mm<Capref<'RAM'>>;
  readonly vspace: Vspace;
  readonly source: MemorySource;
  private readonly os: Os;
  private readonly system: SystemClient;

  constructor(os: Os, paging: TableShape, system: SystemClient) {
    const { mm, vspace, source } = createAllocators(os, paging);
    this.mm = mm;
    this.vspace = vspace;
    this.source = source;
    this.os = os;
    this.system = system;
    os.onPageFault(({ address, access }) => this.serveFault(address, access));
  }

  /** `Vspace.serveFault`, with memory for it. */
  *serveFault(address: number, access: number): Wait<Errval> {
    if (!this.isPlenty) yield* this.reserve(0);
    return this.vspace.serveFault(address, access);
  }

  /**
   * Have `bytes` bytes of RAM in one piece ready for the allocators, and some beside.
   * @errors INIT_ERR_QUOTA under RPC_ERR_REMOTE: the domain may have no more
   */
  *reserve(bytes: number): Wait<void> {
    while (!this.has(bytes)) {
      try {
        yield* this.take(Math.max(GRANT_BYTES, 2 ** Math.ceil(Math.log2(bytes + 1))));
      } catch (error) {
        if (!(error instanceof OsError)) throw error;
        yield* this.take(bytes + SPARE_BYTES); // as long as there is that much
      }
    }
  }

  /** Take RAM from init into the pool. */
  private *take(bytes: number): Wait<void> {
    const grant = yield* this.system.allocRam({ bytes, alignBytes: BASE_PAGE_SIZE });
    const region = { cap: grant.ram, base: asPaddr(grant.base), bytes: grant.bytes };
    this.os.check(this.mm.add(region));
  }

  /** Have what cannot wait for more: slots, and memory for more slots. */
  *spare(): Wait<void> {
    if (this.os.slots.freeCount < SPARE_SLOTS) yield* this.reserve(0);
  }

  private get isPlenty(): boolean {
    return this.mm.freeBytes() >= SPARE_BYTES;
  }

  private has(bytes: number): boolean {
    if (this.mm.freeBytes() < bytes + SPARE_BYTES) return false;
    if (bytes <= BASE_PAGE_SIZE) return true;
    const probe = this.mm.take(bytes);
    if (!probe.ok) return false;
    this.os.check(this.mm.give(probe.value.base, probe.value.bytes));
    return true;
  }
}
