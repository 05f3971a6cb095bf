import { describeCap, eachCap, isEmpty } from '@barreleye/caps';
import { asPtr } from '@barreleye/core';
import {
  BOOTINFO_BYTES,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  CAP_TYPE_NAMES,
  Cte,
  capAddrOf,
  capTypeName,
  DCB_BYTES,
  Dcb,
  DcbState,
  DISPATCHER_FRAME_BYTES,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  Gate,
  IMAGE_BYTES,
  KCB_MAGIC,
  Kcb,
  ObjType,
  RegionType,
  Rights,
  RootSlot,
  Scheduler,
  TaskSlot,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { CpuDriver, checkInvariants } from '../src/index.ts';
import { Bench, TARGETS } from './bench.ts';
import {
  BOOT_INFO,
  DEVICE,
  KERNEL,
  MODULE,
  must,
  OWN_DISPATCHER,
  OWN_FRAME,
  RAM,
  ROOT_TABLE,
  User,
} from './user.ts';

/** Full slots of the first domain, by CNode, as type names. */
const TASK_SLOTS = {
  Dispatcher: 'Dispatcher',
  RootCn: 'L1CNode',
  DispatcherFrame: 'Frame',
  Irq: 'IRQTable',
  BootInfo: 'DevFrame',
  Kernel: 'Kernel',
  PerfMon: 'PerfMon',
  Ipi: 'IPI',
  ProcessManager: 'ProcessManager',
} as const satisfies Partial<Record<keyof typeof TaskSlot, string>>;

const CNODES = [
  'TaskCn',
  'PageCn',
  'SuperCn',
  'SegCn',
  'PhysAddrCn',
  'ModuleCn',
  'SlotAlloc0',
  'SlotAlloc1',
  'SlotAlloc2',
  'RootMappingCn',
] as const;

describe.each(TARGETS)('the first domain on $name', (target) => {
  test('finds in its root CNode the CNodes that it is promised, and its kernel’s block', () => {
    const user = new User(target);
    const { mem } = user.bench;
    const expected = new Map<number, string>(CNODES.map((name) => [RootSlot[name], 'L2CNode']));
    expected.set(RootSlot.BspKcb, 'KernelControlBlock');
    for (let index = 0; index < 256; index++) {
      const slot = asPtr<'Cte'>(
        user.base(capAddrOf(RootSlot.TaskCn, TaskSlot.RootCn)) + 64 * index,
      );
      expect(capTypeName(Cte.type.get(mem, slot))).toBe(expected.get(index) ?? 'Null');
    }
    const kcbSlot = asPtr<'Cte'>(
      user.base(capAddrOf(RootSlot.TaskCn, TaskSlot.RootCn)) + 64 * RootSlot.BspKcb,
    );
    expect(Cte.base.get(mem, kcbSlot), 'T46').toBe(user.bench.plan.kcb);
  });

  test('finds in its task CNode what it is and what it may do', () => {
    const user = new User(target);
    const { mem, kernel } = user.bench;
    const expected = new Map<number, string>(
      Object.entries(TASK_SLOTS).map(([name, type]) => [
        TaskSlot[name as keyof typeof TaskSlot],
        type,
      ]),
    );
    for (let index = 0; index < 256; index++) {
      const slot = user.slot(capAddrOf(RootSlot.TaskCn, index));
      expect(capTypeName(Cte.type.get(mem, slot))).toBe(expected.get(index) ?? 'Null');
    }
    expect(user.base(OWN_DISPATCHER)).toBe(user.bench.current);
    expect(Cte.bytes.get(mem, user.slot(OWN_FRAME))).toBe(DISPATCHER_FRAME_BYTES);
    expect(user.base(OWN_FRAME)).toBe(Dcb.frameBase.get(mem, user.bench.current));
    expect(user.base(BOOT_INFO)).toBe(user.bench.plan.bootInfo);
    expect(Cte.bytes.get(mem, user.slot(BOOT_INFO))).toBe(BOOTINFO_BYTES);
    expect(user.base(ROOT_TABLE)).toBe(kernel.hal.currentRoot());
  });

  test('holds every right to everything, and owns it', () => {
    const { bench } = new User(target);
    for (const slot of eachCap(bench.kernel.caps)) {
      const name = describeCap(bench.mem, slot);
      expect(Cte.rights.get(bench.mem, slot), name).toBe(Rights.All);
      expect(Cte.owner.get(bench.mem, slot), name).toBe(0);
      expect(Cte.flags.get(bench.mem, slot), name).toBe(0);
    }
  });

  test('leaves no capability outside the mapping database, and breaks no invariant (T46)', () => {
    const { bench } = new User(target);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    const counts = new Map<string, number>();
    for (const slot of eachCap(bench.kernel.caps)) {
      const name = CAP_TYPE_NAMES[Cte.type.get(bench.mem, slot)] ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.get('KernelControlBlock')).toBe(1);
    expect(counts.get('L1CNode'), 'in the KCB, in the DCB, in the task CNode').toBe(3);
    expect(counts.get('Frame'), 'the image; the frame, and the copy in the DCB').toBe(3);
    expect(counts.get('RAM')).toBe(1);
  });

  test('can revoke a mapping that the kernel made, like any other', () => {
    const user = new User(target);
    const { arch } = user.bench;
    must(user.revoke(BOOT_INFO));
    expect(user.bench.act((cpu) => cpu.load32(arch.bootInfoBase))).toBe(-1);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('reads in the boot information which capability is for which region', () => {
    const { bench } = new User(target);
    const user = new User(target);
    const homes = new Map<number, [number, number]>([
      [RegionType.Empty, [RootSlot.SuperCn, ObjType.RAM]],
      [RegionType.PhysAddr, [RootSlot.PhysAddrCn, ObjType.PhysAddr]],
      [RegionType.Module, [RootSlot.ModuleCn, ObjType.DevFrame]],
    ]);
    const count = BootInfo.regionCount.get(bench.mem, asPtr<'BootInfo'>(bench.plan.bootInfo));
    let described = 0;
    for (let i = 0; i < count; i++) {
      const region = asPtr<'BootRegion'>(bench.plan.bootInfo + bootRegionOffset(i));
      const home = homes.get(BootRegion.type.get(bench.mem, region));
      if (home === undefined) continue;
      const slot = user.slot(capAddrOf(home[0], BootRegion.slot.get(bench.mem, region)));
      expect(Cte.type.get(bench.mem, slot)).toBe(home[1]);
      expect(Cte.base.get(bench.mem, slot)).toBe(BootRegion.base.get(bench.mem, region));
      expect(Cte.bytes.get(bench.mem, slot)).toBe(BootRegion.bytes.get(bench.mem, region));
      described += 1;
    }
    expect(described).toBe(3 + target.board.devices.length);
    expect(isEmpty(bench.mem, user.slot(RAM + 1)), 'there is one region of RAM').toBe(true);
    expect(user.base(MODULE)).toBe(bench.plan.module);
    expect(user.base(DEVICE)).toBe(target.board.devices[0]?.base);
  });

  test('starts at its first gate, disabled, and knows where its frame and its page are', () => {
    const bench = new Bench(target);
    const { arch } = bench;
    const [entry] = bench.entriesDuring(() => bench.act(() => {}));
    expect(entry).toMatchObject({ dcb: bench.current, gate: Gate.Start });
    expect(entry?.regs[2 * arch.upcallArgs[0]]).toBe(arch.dispatcherBase);
    expect(entry?.regs[2 * arch.upcallArgs[1]]).toBe(arch.bootInfoBase);
    const others = [...(entry?.regs ?? [])].filter((word) => word !== 0);
    expect(others, 'all other registers but the program counter are zero').toHaveLength(3);
    expect(bench.core.threadPointer).toBe(arch.dispatcherBase);
    const frame = Dcb.frameBase.get(bench.mem, bench.current);
    expect(DispatcherFrame.disabled.get(bench.mem, frame)).toBe(1);
    expect(DispatcherFrame.udisp.get(bench.mem, frame)).toBe(arch.dispatcherBase);
    expect(DispatcherFrame.frequency.get(bench.mem, frame)).toBe(target.board.frequency);
    expect(DispatcherFrame.name.get(bench.mem, frame)).toBe('init');
  });

  test('may write its frame, read its page, execute its image, and no more', () => {
    const user = new User(target);
    const { arch, paging, mem, kernel } = user.bench;
    const walker = paging.createWalker(mem);
    const access = (va: number): string => {
      const can = [0, 1, 2].map((kind) => walker.walk(kernel.hal.currentRoot(), va, kind | 4) >= 0);
      return `${can[0] ? 'r' : '-'}${can[1] ? 'w' : '-'}${can[2] ? 'x' : '-'}`;
    };
    expect(access(arch.imageBase)).toBe('r-x');
    expect(access(arch.imageBase + IMAGE_BYTES)).toBe('---');
    expect(access(arch.dispatcherBase)).toBe('rw-');
    expect(access(arch.dispatcherBase + DISPATCHER_FRAME_BYTES - 1)).toBe('rw-');
    expect(access(arch.dispatcherBase + DISPATCHER_FRAME_BYTES)).toBe('---');
    expect(access(arch.bootInfoBase)).toBe('r--');
    expect(access(arch.bootInfoBase + BOOTINFO_BYTES - 1)).toBe('r--');
    expect(access(arch.bootInfoBase + BOOTINFO_BYTES)).toBe('---');
    expect(access(0)).toBe('---');
  });

  test('gets zeroed memory, whatever lay in RAM before', () => {
    const user = new User(target, { dirt: 0xee });
    const { mem } = user.bench;
    const frame = user.base(OWN_FRAME);
    const rest = DISPATCHER_FRAME_BYTES - DISPATCHER_SHARED_BYTES;
    expect(mem.isZero(asPtr(frame + DISPATCHER_SHARED_BYTES), rest)).toBe(true);
    expect(mem.load32(user.base(RAM)), 'RAM itself is as it was').toBe(0xeeee_eeee);
    const types = [
      [ObjType.Frame, 3 * 4096],
      [ObjType.EndPointUMP, 4096],
      [ObjType.L2CNode, 0],
      [ObjType.L1CNode, 2 * 16384],
      [ObjType.Dispatcher, 0],
      [ObjType.KernelControlBlock, 0],
      ...target.paging.levels.map(({ type }) => [type, 0] as const),
    ] as const;
    for (const [type, bytes] of types) {
      const slot = user.slot(user.make(type, bytes));
      const length = Cte.bytes.get(mem, slot);
      expect(mem.isZero(Cte.base.get(mem, slot), length), capTypeName(type)).toBe(true);
    }
  });

  test('is runnable, has the core, and is counted', () => {
    const { bench } = new User(target);
    const { mem, plan } = bench;
    expect(Dcb.state.get(mem, bench.current)).toBe(DcbState.Runnable);
    expect(Kcb.magic.get(mem, plan.kcb)).toBe(KCB_MAGIC);
    expect(Kcb.bootInfo.get(mem, plan.kcb)).toBe(plan.bootInfo);
    expect(Kcb.contextSwitches.get(mem, plan.kcb)).toBe(1);
    expect(bench.current % DCB_BYTES).toBe(0);
  });

  test('answers to the capability that names its core', () => {
    const user = new User(target);
    expect(user.invoke(KERNEL, 7)).toEqual({ names: [], value: 0 });
  });
});

test.each(TARGETS)('a control block is started once on $name', (target) => {
  const bench = new Bench(target);
  const driver = new CpuDriver(bench.core, bench.plan.kcb);
  const { bootInfo, arena } = bench.plan;
  const scheduler = Scheduler.RoundRobin;
  const again = (): void => driver.start({ bootInfo, arena, scheduler, timeslice: 1 });
  expect(again).toThrow('a control block is started once');
});
