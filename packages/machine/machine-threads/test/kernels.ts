/**
 * Kernels for tests of the host: each does one thing, and turns the power off with a code that says
 * how it went. They run in the threads of cores, so tests name them.
 */

import { assert, coreId, type Paddr, paddr } from '@barreleye/core';
import { boardPc64, type Core, IrqLine } from '@barreleye/machine';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { DeviceClass, PowerReg, Uart16550Bit, Uart16550Reg } from '@barreleye/spec';
import type { CoreSetup } from '../src/index.ts';

/** Which kernel, and how much of it. */
export interface KernelChoice {
  readonly kernel: keyof typeof KERNELS;
  readonly count?: number;
}

/** What a core does at power-on and at interrupts; both must leave the kernel. */
interface Kernel {
  readonly start: (core: Core, choice: KernelChoice) => void;
  readonly onLine?: (core: Core, line: number) => void;
}

const LINE = IrqLine.FirstNotify;
const CORE_COUNT_AT = 0x10_1000; // tests write the number of cores there
export const PAGE = paddr(0x10_0000);
const MS = boardPc64.frequency / 1000;

const deviceAt = (kind: DeviceClass): number =>
  boardPc64.devices.find((device) => device.class === kind)?.base ?? 0;
const SERIAL = deviceAt(DeviceClass.Uart16550);

function turnOff(core: Core, exitCode: number): void {
  core.bus.store(paddr(deviceAt(DeviceClass.Power) + PowerReg.OFF), exitCode, 4);
}

/** Sleep for a while; for ever, if that is 0. */
function sleep(core: Core, ms = 0): void {
  if (ms > 0) core.setTimer(core.now() + ms * MS);
  core.idle();
}

/** The token goes round all cores; each sleeps until it comes. */
const relay: Kernel = {
  start(core, { count = 1 }) {
    const coreCount = core.mem.load32(paddr(CORE_COUNT_AT));
    laps.set(core, { left: count, next: coreId((core.coreId + 1) % coreCount) });
    if (core.coreId === 0) {
      for (let id = 1; id < coreCount; id++) assert(core.startCore(coreId(id), PAGE), 'it starts');
      core.raiseOn(coreId(1 % coreCount), LINE); // before it is there
    }
    core.idle();
  },
  onLine(core) {
    const lap = laps.get(core);
    assert(lap !== undefined, 'it has begun');
    if (core.coreId === 0) {
      lap.left -= 1;
      if (lap.left === 0) return turnOff(core, 0);
    }
    core.raiseOn(lap.next, LINE);
    core.idle();
  },
};
const laps = new WeakMap<Core, { left: number; readonly next: ReturnType<typeof coreId> }>();

/** Three naps; what the clock says after each is no less than what was asked for. */
const naps: Kernel = {
  start: (core) => sleep(core, 4),
  onLine(core, line) {
    assert(line === IrqLine.Timer, 'nothing else is armed');
    const napCount = core.mem.load32(PAGE) + 1;
    core.mem.store32(PAGE, napCount);
    if (core.now() < napCount * 4 * MS) turnOff(core, 1);
    else if (napCount === 3) turnOff(core, 0);
    else sleep(core, 4);
  },
};

/** Sends back what is typed, and turns off at a `q`. */
const echo: Kernel = {
  start(core) {
    core.bus.store(paddr(SERIAL + Uart16550Reg.IER), Uart16550Bit.IER_ERBFI, 1);
    core.idle();
  },
  onLine(core) {
    const ready = (): number =>
      core.bus.load(paddr(SERIAL + Uart16550Reg.LSR), 1) & Uart16550Bit.LSR_DR;
    while (ready() !== 0) {
      const byte = core.bus.load(paddr(SERIAL + Uart16550Reg.RBR_THR), 1);
      if (byte === 0x71) return turnOff(core, 0);
      core.bus.store(paddr(SERIAL + Uart16550Reg.RBR_THR), byte, 1);
    }
    core.idle();
  },
};

/** Core 0 starts core 1, in any way that makes no sense first. One bit for each that worked. */
const starter: Kernel = {
  start(core) {
    if (core.coreId === 1) return turnOff(core, core.mem.load32(PAGE));
    const tries: [number, Paddr][] = [
      [1, PAGE],
      [1, PAGE], // it is on already
      [0, PAGE], // so is this one
      [2, PAGE], // there is none
    ];
    const bad = core.startCore(coreId(1), paddr(PAGE + 4)) ? 16 : 0; // a page of nonsense
    const bits = tries.map(([id, page], i) => (core.startCore(coreId(id), page) ? 1 << i : 0));
    core.mem.storeRelease32(
      PAGE,
      bits.reduce((sum, bit) => sum | bit, bad),
    );
    core.idle();
  },
};

/** Core 1 counts its lives and switches itself off; core 0 starts it whenever it is off. */
const phoenix: Kernel = {
  start(core, { count = 1 }) {
    if (core.coreId === 0) {
      lives.set(core, count);
      sleep(core, 1);
      return;
    }
    core.mem.storeRelease32(PAGE, core.mem.load32(PAGE) + 1);
    sleep(core, 1);
  },
  onLine(core) {
    if (core.coreId === 1) return core.halt();
    const isOff = core.isOff(coreId(1));
    if (isOff && core.mem.loadAcquire32(PAGE) === lives.get(core)) return turnOff(core, 0);
    if (isOff && !core.startCore(coreId(1), PAGE)) return turnOff(core, 1);
    sleep(core, 1);
  },
};
const lives = new WeakMap<Core, number>();

/** Core 1 does not come up, or dies when it has; core 0 turns off after a while, or at once. */
function victim(die: (core: Core) => void): Kernel {
  return {
    start(core) {
      if (core.coreId === 1) return die(core);
      if (core.startCore(coreId(1), PAGE)) sleep(core, 2000);
      else turnOff(core, 8);
    },
    onLine: (core, line) => (line === IrqLine.Timer ? turnOff(core, 9) : breakDown()),
  };
}

function breakDown(): never {
  throw new Error('a bug in the kernel');
}

export const KERNELS = {
  relay,
  naps,
  echo,
  starter,
  phoenix,
  idle: { start: (core: Core) => core.idle() },
  stillborn: victim(breakDown),
  panic: victim((core) => {
    core.raise(LINE);
    core.idle();
  }),
  /** The thread of core 1 is gone, without a word. */
  vanish: victim(() => process.exit(3)),
  /** A kernel that hangs, and so its whole thread. */
  hang: {
    start: () => {
      for (;;);
    },
  },
} satisfies Readonly<Record<string, Kernel>>;

/** What the cores of a test are like. */
export function kernelSetup(choice: KernelChoice): CoreSetup {
  const kernel: Kernel = KERNELS[choice.kernel];
  return {
    board: boardPc64,
    paging: pagingX86_64,
    programs: [],
    loadDriver: () => false,
    accepts: (_mem, _core, page) => page === PAGE,
    firmware(core) {
      const onTrap = (): void => {
        const line = core.takeInterrupt();
        if (kernel.onLine === undefined) core.idle();
        else kernel.onLine(core, line);
      };
      core.powerOn({ onTrap }, () => kernel.start(core, choice));
      return true;
    },
  };
}

/** For a test: write down how many cores there are. */
export function writeCoreCount(mem: Core['mem'], coreCount: number): void {
  mem.store32(paddr(CORE_COUNT_AT), coreCount);
}
