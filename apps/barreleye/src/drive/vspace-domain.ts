/** The domain that `drive vspace` lets work: regions by name, and what its accesses end in. */

import { BASE_PAGE_SIZE, type Errval, isOk, OK } from '@barreleye/core';
import type { Memory } from '@barreleye/init';
import {
  type Capref,
  capDelete,
  capIdentify,
  capRetype,
  type Os,
  OsError,
  PageFaultError,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import type { MmBlock } from '@barreleye/mm';
import { Access, Err, errName, errNames, PageFlag } from '@barreleye/spec';
import { hexOut } from './input.ts';

/** One operation of the document. */
export type Operation =
  | {
      readonly op: 'map';
      readonly name: string;
      readonly bytes: number;
      readonly va?: number | undefined;
      readonly flags: string;
      readonly pageBytes?: number | undefined;
      readonly lazy?: boolean | undefined;
    }
  | { readonly op: 'unmap' | 'deleteFrame'; readonly name: string }
  | { readonly op: 'protect'; readonly name: string; readonly flags: string }
  | { readonly op: 'touch'; readonly va: number; readonly access: 'r' | 'w' | 'x' };

/** What the library believes is mapped. */
export interface MappedRange {
  readonly va: string;
  readonly bytes: number;
  readonly pa: string;
  readonly flags: string;
}

/** A region, and the frame behind it unless it is lazy. */
interface Named {
  readonly base: number;
  readonly bytes: number;
  readonly frame:
    | { readonly cap: Capref<'Frame'>; readonly ram: MmBlock<Capref<'RAM'>> }
    | undefined;
}

type MapOperation = Extract<Operation, { op: 'map' }>;

export class VspaceDomain {
  private readonly os: Os;
  private readonly memory: Memory;
  /** Whether user mode of this core can make an access of its page tables now. */
  private readonly canAccess: (va: number, access: number) => boolean;
  private readonly named: Map<string, Named>;

  constructor(os: Os, memory: Memory, canAccess: (va: number, access: number) => boolean) {
    this.os = os;
    this.memory = memory;
    this.canAccess = canAccess;
    this.named = new Map();
  }

  /** Run one operation; errors are part of the answer. */
  *run(op: Operation): Wait<object> {
    try {
      return yield* this.apply(op);
    } catch (error) {
      if (error instanceof PageFaultError) return describeFault(error);
      if (error instanceof OsError) return describeError(error.errval);
      throw error;
    }
  }

  /** Everything that is mapped, in address order. */
  mapped(): MappedRange[] {
    const ranges: MappedRange[] = [];
    for (const run of this.memory.vspace.mapped()) {
      const { base } = unwrap(capIdentify(this.os.sys, run.frame));
      const flags = formatFlags(run.flags);
      ranges.push({ va: hexOut(run.va), bytes: run.bytes, pa: hexOut(base + run.offset), flags });
    }
    return ranges;
  }

  private *apply(op: Operation): Wait<object> {
    const { os, memory } = this;
    switch (op.op) {
      case 'map':
        return { va: hexOut(this.map(op)) };
      case 'unmap': {
        const { base, frame } = this.find(op.name);
        os.check(memory.vspace.unmap(base));
        if (frame !== undefined) this.freeFrame(frame);
        this.named.delete(op.name);
        return { va: hexOut(base) };
      }
      case 'protect': {
        const { base, bytes } = this.find(op.name);
        os.check(memory.vspace.protect(base, bytes, parseFlags(op.flags)));
        return { va: hexOut(base) };
      }
      case 'deleteFrame': {
        const { base, frame } = this.find(op.name);
        if (frame === undefined) throw new OsError(Err.LIB_ERR_BAD_INPUT);
        os.check(memory.vspace.destroyFrame(frame.cap));
        os.check(os.slots.free(frame.cap));
        os.check(memory.mm.free(frame.ram));
        this.named.delete(op.name);
        return { va: hexOut(base) };
      }
      default:
        yield* this.touch(op.va, op.access);
        return { va: hexOut(op.va) };
    }
  }

  private map(op: MapOperation): number {
    if (this.named.has(op.name)) throw new OsError(Err.LIB_ERR_PMAP_EXISTING_MAPPING);
    const bytes = Math.ceil(op.bytes / BASE_PAGE_SIZE) * BASE_PAGE_SIZE;
    const named = op.lazy === true ? this.mapLazy(op, bytes) : this.mapFrame(op, bytes);
    this.named.set(op.name, named);
    return named.base;
  }

  private mapLazy({ va, flags, name }: MapOperation, bytes: number): Named {
    const { vspace } = this.memory;
    const request = { bytes, flags: parseFlags(flags), name };
    const region = unwrap(
      va === undefined ? vspace.reserve(request) : vspace.reserveFixed(va, request),
    );
    return { base: region.base, bytes, frame: undefined };
  }

  /** A new frame, shown; nothing stays when it cannot be. */
  private mapFrame({ va, flags, name, pageBytes }: MapOperation, bytes: number): Named {
    const { vspace, mm } = this.memory;
    const alignBytes = checkPageBytes(pageBytes);
    const ram = unwrap(mm.alloc(Math.max(bytes, 1), { alignBytes }));
    const slot = this.os.allocSlot();
    const range = { offset: 0, objectBytes: ram.bytes, count: 1 };
    const cap = unwrap(capRetype(this.os.sys, slot, ram.cap, 'Frame', range));
    const frame = { cap, ram };
    const maxPageBits = pageBytes === undefined ? {} : { maxPageBits: Math.log2(pageBytes) };
    const request = { frame: cap, bytes, flags: parseFlags(flags), name, ...maxPageBits };
    const region = va === undefined ? vspace.map(request) : vspace.mapFixed(va, request);
    if (region.ok) return { base: region.value.base, bytes, frame };
    this.freeFrame(frame);
    throw new OsError(region.err);
  }

  private freeFrame({ cap, ram }: NonNullable<Named['frame']>): void {
    const { os, memory } = this;
    os.check(capDelete(os.sys, cap));
    os.check(os.slots.free(cap));
    os.check(memory.mm.free(ram));
  }

  /** One access of user mode; programs fetch no instructions, so execution asks the MMU. */
  private *touch(va: number, access: 'r' | 'w' | 'x'): Wait<void> {
    const { os, memory } = this;
    if (access === 'r') yield* os.load8(va);
    else if (access === 'w') yield* os.store8(va, 0);
    else {
      const served = this.canAccess(va, Access.Execute)
        ? OK
        : memory.vspace.serveFault(va, Access.Execute);
      if (!isOk(served) || !this.canAccess(va, Access.Execute)) {
        const fault = { address: va, access: Access.Execute, code: 0 };
        throw new PageFaultError(fault, isOk(served) ? Err.LIB_ERR_PAGE_FAULT : served);
      }
    }
  }

  private find(name: string): Named {
    const named = this.named.get(name);
    if (named === undefined) throw new OsError(Err.LIB_ERR_PMAP_NOT_MAPPED);
    return named;
  }
}

/** The alignment of a frame for pages of `pageBytes`. */
function checkPageBytes(pageBytes = BASE_PAGE_SIZE): number {
  const isPower = 2 ** Math.round(Math.log2(pageBytes)) === pageBytes;
  if (!isPower || pageBytes < BASE_PAGE_SIZE) throw new OsError(Err.LIB_ERR_BAD_INPUT);
  return pageBytes;
}

function describeError(err: Errval): object {
  return { error: errName(err), stack: errNames(err) };
}

function describeFault({ address, access, code, reason }: PageFaultError): object {
  const err = isOk(reason) ? Err.LIB_ERR_PAGE_FAULT : reason;
  const letter = ['r', 'w', 'x'][access & 3] ?? '';
  const fault = { va: hexOut(address), access: letter, code: hexOut(code) };
  return { ...describeError(err), fault };
}

function parseFlags(letters: string): number {
  const bits = { r: PageFlag.Read, w: PageFlag.Write, x: PageFlag.Execute } as const;
  let flags = 0;
  for (const [letter, bit] of Object.entries(bits)) if (letters.includes(letter)) flags |= bit;
  return flags;
}

function formatFlags(flags: number): string {
  return ['r', 'w', 'x'].filter((_, bit) => (flags & (1 << bit)) !== 0).join('');
}
