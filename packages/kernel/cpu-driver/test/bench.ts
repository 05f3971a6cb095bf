/**
 * A core with a CPU driver on it and test code in its user mode. Everything goes the way it goes in
 * a whole system: the machine enters a program through its gates, the program traps, the kernel
 * answers. What the program does is said by the test: `act` runs a function once, as user mode;
 * `behaviours` say what a dispatcher does whenever it is entered and nothing else is asked of it.
 *
 * A bench has the first core of a machine, or one that this one starts (second-core.ts).
 *
 * Memory from the bottom of RAM: KCB, boot information, arena, module, a second arena for
 * dispatchers made by hand, a fence, RAM for the first domain, a fence. Nobody may write fences.
 */

import {
  alignUp,
  asPaddr,
  asPtr,
  assert,
  type Paddr,
  type PhysMem,
  type Ptr,
} from '@barreleye/core';
import { type Board, boardPc64, boardVexpress, type Core, Machine } from '@barreleye/machine';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import {
  type Arch,
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  Dcb,
  FIRST_DOMAIN_BYTES,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  KCB_BYTES,
  Kcb,
  type Paging,
  type Program,
  RegionType,
  Scheduler,
  type TrapKind,
  type UserCpu,
} from '@barreleye/spec';
import { CpuDriver } from '../src/index.ts';
import type { Kernel } from '../src/kernel.ts';

/** A board with its page tables. */
export interface Target {
  readonly name: string;
  readonly board: Board;
  readonly paging: Paging;
}

/** The architectures that everything is tested on. */
export const TARGETS: readonly Target[] = [
  { name: 'x86_64', board: boardPc64, paging: pagingX86_64 },
  { name: 'armv7', board: boardVexpress, paging: pagingArmv7 },
];

export interface BenchOptions {
  /** Cycles; so many that no slice ends, if left out. */
  readonly timeslice?: number;
  /** Round robin, if left out. */
  readonly scheduler?: Scheduler;
  readonly ramBytes?: number;
  /** How many more dispatchers there is room for. */
  readonly dispatchers?: number;
  /** Formats of page tables beside the core's own. */
  readonly foreignFormats?: readonly Paging[];
  /** Fill all of RAM with this byte before anything is loaded, the arena excepted. */
  readonly dirt?: number;
  /** How many cores the machine has; only the first is started. */
  readonly coreCount?: number;
  /** Watches the bench of another core. */
  readonly starter?: Starter;
}

/** What the bench of a core that another has started works with. */
export interface Starter {
  readonly bench: Bench;
  readonly core: Core;
  /** Boot information of the core. */
  readonly page: Paddr;
}

/** User mode is entered at a gate. */
export interface Entry {
  /** Who has the core. */
  readonly dcb: number;
  readonly gate: number;
  /** Cycles since power-on. */
  readonly at: number;
  /** The register file as user mode finds it. */
  readonly regs: Uint32Array;
}

/** What user mode does when it is entered; it has left, or waits in a loop, when this returns. */
export type Behaviour = (cpu: UserCpu, gate: number) => void;

/** Where the boot information of cores that others start says what RAM they have. */
const RAM_REGION = 2;
/** More cycles than the host lets a core run in one turn. */
export const PAUSE_CYCLES = 6000;
/** RAM without room for more dispatchers; of it, some 1.5 MiB are the first domain's. */
const RAM_BYTES = 3 * 2 ** 20;
const FENCE_BYTES = 64 * 1024;
const FENCE_BYTE = 0xa5;
/** Frame, page tables and control block of a dispatcher, with room to align them. */
const DISPATCHER_BYTES = 640 * 1024;
const ENDLESS = 2 ** 40;
/** An interrupt line that no test connects. */
const IDLE_LINE = 9;
/** Neither RAM nor device on any board: an access is a bus error. */
const HOLE = 0x2000_0000;

/** Where the loader puts things. */
export interface Plan {
  readonly kcb: Ptr<'Kcb'>;
  readonly bootInfo: Paddr;
  readonly arena: Paddr;
  readonly module: Paddr;
  readonly spare: Paddr;
  readonly spareBytes: number;
  readonly fences: readonly Paddr[];
  readonly ram: Paddr;
  readonly ramBytes: number;
}

export class Bench {
  readonly target: Target;
  readonly machine: Machine;
  readonly core: Core;
  readonly mem: PhysMem;
  readonly arch: Arch;
  readonly paging: Paging;
  readonly plan: Plan;
  /** Every entry into user mode, the first first. */
  readonly entries: Entry[];
  /** By address of the DCB; who is not in here waits in a loop. */
  readonly behaviours: Map<number, Behaviour>;
  /** Called before each kernel entry, with the kind of the trap. */
  beforeEntry: (kind: TrapKind) => void;
  /** Called after each kernel entry. */
  afterEntry: () => void;
  private driver: CpuDriver;
  private readonly actions: Behaviour[];
  private readonly foreignFormats: readonly Paging[];
  /** The benches of all cores of the machine, by number. */
  private readonly benches: Bench[];

  constructor(target: Target, options: BenchOptions = {}) {
    const { board, paging } = target;
    const { starter } = options;
    const spareBytes = (options.dispatchers ?? 0) * DISPATCHER_BYTES;
    const ramBytes = (options.ramBytes ?? RAM_BYTES) + spareBytes;
    this.target = target;
    this.benches = starter?.bench.benches ?? [];
    this.machine =
      starter?.bench.machine ??
      new Machine({
        board,
        paging,
        programs: [createProgram(this.benches)],
        ramBytes,
        coreCount: options.coreCount ?? 1,
        seed: 1,
      });
    this.core = starter?.core ?? this.machine.bsp;
    this.benches[this.core.coreId] = this;
    this.mem = this.machine.mem;
    this.arch = board.arch;
    this.paging = paging;
    this.plan = starter === undefined ? planMemory(board, ramBytes, spareBytes) : planOf(starter);
    this.entries = [];
    this.behaviours = new Map();
    this.beforeEntry = () => {};
    this.afterEntry = () => {};
    this.actions = [];
    this.foreignFormats = options.foreignFormats ?? [];
    if (starter === undefined) load(this, options.dirt ?? 0);
    this.machine.loadDriver = (core) => {
      this.benches[core.coreId]?.replaceDriver();
      return true;
    };
    this.driver = this.createDriver();
    this.core.powerOn({ onTrap: (kind) => this.onTrap(kind) }, () =>
      this.driver.start({
        bootInfo: this.plan.bootInfo,
        arena: this.plan.arena,
        scheduler: options.scheduler ?? Scheduler.RoundRobin,
        timeslice: options.timeslice ?? ENDLESS,
      }),
    );
  }

  get kernel(): Kernel {
    return this.driver.kernel;
  }

  /** The dispatcher that has the core, 0 for none. */
  get current(): Ptr<'Dcb'> {
    return Kcb.current.get(this.mem, this.plan.kcb);
  }

  /** A new CPU driver takes over. */
  replaceDriver(): void {
    this.driver = this.createDriver();
  }

  /**
   * Run `action` once as user mode of whoever is entered next, and nothing after it. Fails if
   * nobody is entered.
   */
  act<T>(action: (cpu: UserCpu, gate: number) => T): T {
    const outcome = this.tryAct(action);
    assert(outcome !== undefined, 'no dispatcher runs that could act');
    return outcome.value;
  }

  /** As `act`; undefined if nobody is entered soon. */
  tryAct<T>(action: (cpu: UserCpu, gate: number) => T): { readonly value: T } | undefined {
    let outcome: { readonly value: T } | undefined;
    this.actions.push((cpu, gate) => {
      cpu.spend(PAUSE_CYCLES); // the turn of the core is over: it is the last entry of the run
      outcome = { value: action(cpu, gate) };
      if (cpu.isLive()) cpu.poll();
    });
    for (let turn = 0; turn < 10 && outcome === undefined; turn++) this.machine.run(1);
    this.actions.length = 0;
    return outcome;
  }

  /** The turn of whoever pays for the core ends now, at an interrupt that nobody waits for. */
  endTurn(): void {
    const payer = asPtr<'Dcb'>(Kcb.payer.get(this.mem, this.plan.kcb));
    if (payer !== 0) Dcb.budget.set(this.mem, payer, 0);
    this.core.raise(IDLE_LINE);
  }

  /** Let user mode behave for `cycles` cycles. */
  run(cycles: number): void {
    this.machine.run(cycles);
  }

  /** Forget the entries that are over; those that `during` causes come back. */
  entriesDuring(during: () => void): Entry[] {
    this.entries.length = 0;
    during();
    return [...this.entries];
  }

  private createDriver(): CpuDriver {
    return new CpuDriver(this.core, this.plan.kcb, this.foreignFormats);
  }

  private onTrap(kind: TrapKind): void {
    this.beforeEntry(kind);
    this.driver.onTrap(kind);
    this.afterEntry();
  }

  /** User mode of this core is entered. */
  enter(cpu: UserCpu, gate: number): void {
    this.entries.push({ dcb: this.current, gate, at: cpu.now(), regs: cpu.regs.slice() });
    const behaviour = this.actions.shift() ?? this.behaviours.get(this.current) ?? pause;
    behaviour(cpu, gate);
  }
}

/** The program of all domains: what it does is said by the bench of the core that it is on. */
function createProgram(benches: readonly Bench[]): Program {
  return {
    name: 'test',
    create: (cpu) => ({
      enter: (gate) => benches.find(({ core }) => core.regs === cpu.regs)?.enter(cpu, gate),
    }),
  };
}

/** Wait in a loop until the host or an interrupt takes the core. */
export function pause(cpu: UserCpu): void {
  cpu.spend(PAUSE_CYCLES);
  cpu.poll();
  assert(!cpu.isLive(), 'the host or the kernel has taken the core');
}

/** Virtual address of gate `gate`. */
export function gateAt(arch: Arch, gate: number): number {
  return arch.imageBase + GATES_AT + gate * GATE_BYTES;
}

/** Upcall entry points by the field of the dispatcher frame that holds them. */
export const UPCALL_GATES = {
  runEntry: Gate.Run,
  lrpcEntry: Gate.Lrpc,
  pagefaultEntry: Gate.PageFault,
  pagefaultDisabledEntry: Gate.PageFaultDisabled,
  trapEntry: Gate.Trap,
} as const;

function planMemory(board: Board, ramBytes: number, spareBytes: number): Plan {
  const [range] = board.ramRanges(ramBytes);
  assert(range !== undefined, 'a board has RAM');
  let at: number = range.base;
  const place = (bytes: number): Paddr => {
    const base = asPaddr(at);
    at = alignUp(at + bytes, 12);
    return base;
  };
  const kcb = asPtr<'Kcb'>(place(KCB_BYTES));
  const bootInfo = place(BOOTINFO_BYTES);
  const arena = place(FIRST_DOMAIN_BYTES);
  const module = place(IMAGE_BYTES);
  const spare = place(spareBytes);
  const lower = place(FENCE_BYTES);
  const ram = asPaddr(at);
  const upper = asPaddr(range.base + range.bytes - FENCE_BYTES);
  return {
    kcb,
    bootInfo,
    arena,
    module,
    spare,
    spareBytes,
    fences: [lower, upper],
    ram,
    ramBytes: upper - ram,
  };
}

/** Where the starter of a core has put things: as the boot information of the core says. */
function planOf({ bench, page }: Starter): Plan {
  const { mem, plan } = bench;
  const info = asPtr<'BootInfo'>(page);
  const ram = asPtr<'BootRegion'>(page + bootRegionOffset(RAM_REGION));
  return {
    kcb: BootInfo.kcb.get(mem, info),
    bootInfo: page,
    arena: BootInfo.arena.get(mem, info),
    module: plan.module,
    spare: page,
    spareBytes: 0,
    fences: plan.fences,
    ram: BootRegion.base.get(mem, ram),
    ramBytes: BootRegion.bytes.get(mem, ram),
  };
}

/** What a boot loader leaves in memory. */
function load(bench: Bench, dirt: number): void {
  const { mem, plan, target, arch } = bench;
  if (dirt !== 0) {
    new Uint8Array(mem.buffer).fill(dirt);
    for (const [base, bytes] of [
      [plan.kcb, KCB_BYTES],
      [plan.bootInfo, BOOTINFO_BYTES],
      [plan.arena, FIRST_DOMAIN_BYTES],
      [plan.spare, plan.spareBytes],
    ] as const) {
      mem.zero(base, bytes);
    }
  }
  for (const fence of plan.fences) mem.write(fence, new Uint8Array(FENCE_BYTES).fill(FENCE_BYTE));
  writeImage(mem, plan.module, arch);
  Kcb.coreId.set(mem, plan.kcb, 0);
  writeBootInfo(mem, plan.bootInfo, [
    { base: plan.kcb, bytes: plan.module - plan.kcb, type: RegionType.RootTask },
    { base: plan.module, bytes: IMAGE_BYTES, type: RegionType.Module },
    { base: plan.ram, bytes: plan.ramBytes, type: RegionType.Empty },
    ...target.board.devices.map(({ base, bytes }) => ({ base, bytes, type: RegionType.PhysAddr })),
    { base: HOLE, bytes: 4096, type: RegionType.PhysAddr },
  ]);
}

/** A region as boot information says it. */
export interface Region {
  readonly base: number;
  readonly bytes: number;
  readonly type: RegionType;
}

/** Fill in boot information; of its regions the one behind the first is the image. */
export function writeBootInfo(mem: PhysMem, page: Paddr, regions: readonly Region[]): void {
  const info = asPtr<'BootInfo'>(page);
  BootInfo.magic.set(mem, info, BOOTINFO_MAGIC);
  BootInfo.regionCount.set(mem, info, regions.length);
  BootInfo.coreCount.set(mem, info, 1);
  BootInfo.initModule.set(mem, info, 1);
  for (const [i, { base, bytes, type }] of regions.entries()) {
    const region = asPtr<'BootRegion'>(page + bootRegionOffset(i));
    BootRegion.base.set(mem, region, asPaddr(base));
    BootRegion.bytes.set(mem, region, bytes);
    BootRegion.type.set(mem, region, type);
  }
}

/** A program image: header and gates. */
function writeImage(mem: PhysMem, at: Paddr, arch: Arch): void {
  const header = asPtr<'ImageHeader'>(at);
  mem.zero(at, IMAGE_BYTES);
  ImageHeader.magic.set(mem, header, IMAGE_MAGIC);
  ImageHeader.gatesAt.set(mem, header, GATES_AT);
  ImageHeader.name.set(mem, header, 'test');
  for (let gate = 0; gate < GATE_COUNT; gate++) {
    const word = asPtr<'GateWord'>(at + GATES_AT + gate * GATE_BYTES);
    GateWord.opcode.set(mem, word, arch.gateOpcode);
    GateWord.gate.set(mem, word, gate);
  }
}

/** Whether nobody has written the memory that nobody has. */
export function areFencesIntact(bench: Bench): boolean {
  const words = FENCE_BYTES / 4;
  const expected = FENCE_BYTE * 0x0101_0101;
  return bench.plan.fences.every((fence) => {
    const first = (fence - bench.mem.origin) / 4;
    return bench.mem.words.subarray(first, first + words).every((word) => word === expected);
  });
}
