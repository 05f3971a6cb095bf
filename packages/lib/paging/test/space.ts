/**
 * An address space, the kernel that it is made of, and books of everything it takes: slots, RAM.
 * Any step that can fail can be told to.
 */

import { type Errval, fail, OK, type Result, succeed } from '@barreleye/core';
import type { RamBlock } from '@barreleye/libos';
import { type Capref, capref, type Slot, SlotAllocator, Sys } from '@barreleye/libos';
import { HandCpu, HandKernel } from '@barreleye/libos/testing';
import { archX86_64, CAP_TYPE_NAMES, Err, RootSlot, type VNodeTypeName } from '@barreleye/spec';
import { Vspace } from '../src/vspace.ts';
import type { NamedShape } from './shapes.ts';

export const PAGE = 4096;
/** Root slots of the CNodes for RAM and for frames; the address space gets none of their slots. */
const RAM_CNODE = 20;
const FRAME_CNODE = 21;
/** And for the frames behind lazy regions. */
const LAZY_CNODE = 22;
const ROOT: Capref<VNodeTypeName> = capref(RootSlot.PageCn, 0);

export class Space {
  readonly kernel: HandKernel;
  readonly vspace: Vspace;
  readonly slots = new SlotAllocator();
  /** RAM that is out. */
  readonly ram = new Set<RamBlock>();
  private readonly named: NamedShape;
  private readonly sys: Sys;
  private readonly ramSlots = new SlotAllocator();
  private readonly frameSlots = new SlotAllocator();
  private nextRam = 2 ** 30;
  private frameCount = 0;
  private stepCount = 0;
  private failure: { readonly atStep: number; readonly err: Errval } | undefined;

  constructor(named: NamedShape, to = named.to) {
    const cpu = new HandCpu(archX86_64);
    this.named = named;
    this.sys = new Sys(cpu, cpu.arch.dispatcherBase);
    const cnodes = [RootSlot.PageCn, RootSlot.SlotAlloc1, RAM_CNODE, FRAME_CNODE, LAZY_CNODE];
    this.kernel = new HandKernel(cpu, named.shape, cnodes);
    const answer = cpu.onSyscall;
    cpu.onSyscall = () => {
      const err = this.step();
      if (err === OK) answer();
      else cpu.answer(err);
    };
    cpu.hold();
    const [root] = named.shape.levels;
    this.kernel.put(ROOT, CAP_TYPE_NAMES[root?.type ?? 0] ?? 'Null', 0, root?.tableBytes ?? 0);
    this.slots.addCnode(RootSlot.SlotAlloc1);
    this.ramSlots.addCnode(RAM_CNODE);
    this.frameSlots.addCnode(LAZY_CNODE);
    this.vspace = new Vspace({
      sys: this.sys,
      paging: named.shape,
      root: ROOT,
      from: named.from,
      to,
      source: {
        allocRam: (bytes) => this.allocRam(bytes),
        freeRam: (block) => this.freeRam(block),
        allocFrame: () => this.allocFrame(),
        freeFrame: (frame) => this.freeFrame(frame),
        allocSlot: () => this.allocSlot(),
        freeSlot: (slot) => this.freeSlot(slot),
      },
    });
  }

  /** Slots that the address space has taken. */
  get slotsTaken(): number {
    return this.slots.totalCount - this.slots.freeCount;
  }

  /** A frame of `pageCount` pages. */
  createFrame(pageCount: number): Capref<'Frame'> {
    const frame = capref<'Frame'>(FRAME_CNODE, this.frameCount++);
    this.kernel.put(frame, 'Frame', 2 ** 40 + this.frameCount * 2 ** 32, pageCount * PAGE);
    return frame;
  }

  /** Fail the `count`-th step from now: an allocation or a system call. */
  failAt(count: number): void {
    this.failure = { atStep: this.stepCount + count, err: Err.SYS_ERR_CAP_LOCKED };
  }

  /** Whether the step that was to fail has been reached. */
  get hasFailed(): boolean {
    return this.failure !== undefined && this.stepCount >= this.failure.atStep;
  }

  /** Frames that lazy regions hold. */
  get framesTaken(): number {
    return this.frameSlots.totalCount - this.frameSlots.freeCount;
  }

  /** Which page of which frame is at `va`, and with which flags; undefined: none. */
  at(va: number): string | undefined {
    const entry = this.kernel.translate(ROOT, va);
    return entry && `${entry.object.base}+${entry.offset / PAGE} ${entry.flags}`;
  }

  /** What `at` says of page `page` of `frame`. */
  pageOf(frame: Capref, page: number, flags: number): string {
    return `${this.kernel.held(frame)?.base}+${page} ${flags}`;
  }

  /** Bytes that one table of the last level covers. */
  get leafBytes(): number {
    const leaf = this.named.shape.levels.at(-1);
    return (leaf?.entryCount ?? 0) * PAGE;
  }

  get levelCount(): number {
    return this.named.shape.levels.length;
  }

  private step(): Errval {
    this.stepCount += 1;
    return this.stepCount === this.failure?.atStep ? this.failure.err : OK;
  }

  private allocRam(bytes: number): Result<RamBlock> {
    const err = this.step();
    if (err !== OK) return fail(err);
    const slot = this.ramSlots.alloc();
    if (!slot.ok) return slot;
    const block = {
      cap: capref<'RAM'>(RAM_CNODE, slot.value.cptr & 255),
      base: this.nextRam,
      bytes,
    };
    this.nextRam += 2 ** 20;
    this.kernel.put(block.cap, 'RAM', block.base, bytes);
    this.ram.add(block);
    return succeed(block);
  }

  private freeRam(block: RamBlock): Errval {
    if (!this.ram.delete(block)) return Err.MM_ERR_NOT_ALLOCATED;
    this.kernel.remove(block.cap);
    return this.ramSlots.free(block.cap);
  }

  /** Frames of one page, each aligned so that it looks like part of nothing larger. */
  private allocFrame(): Result<Capref<'Frame'>> {
    const err = this.step();
    if (err !== OK) return fail(err);
    const slot = this.frameSlots.alloc();
    if (!slot.ok) return slot;
    const frame = capref<'Frame'>(LAZY_CNODE, slot.value.cptr & 255);
    this.kernel.put(frame, 'Frame', this.nextRam, PAGE);
    this.nextRam += 2 ** 20;
    return succeed(frame);
  }

  private freeFrame(frame: Capref<'Frame'>): Errval {
    const err = this.step();
    if (err !== OK) return err;
    this.kernel.remove(frame);
    return this.frameSlots.free(frame);
  }

  private allocSlot(): Result<Slot> {
    const err = this.step();
    return err === OK ? this.slots.alloc() : fail(err);
  }

  private freeSlot(slot: Capref): void {
    if (this.kernel.held(slot) !== undefined) throw new Error('a full slot was given back');
    if (this.slots.free(slot) !== OK) throw new Error('a slot was given back twice');
  }
}
