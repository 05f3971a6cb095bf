/**
 * Upcalls on a booted machine: the kernel enters a dispatcher, which goes on from there. One comes
 * of a page fault that the program takes and returns from, the other of a yield after which it is
 * its turn again. Beside it what the host has for a detour: an exception that is caught, and a
 * generator that is resumed.
 */
import {
  DispatcherFrame,
  GATE_BYTES,
  GATES_AT,
  Gate,
  type Program,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';

const ROUND_CYCLES = 1e6;
/** Nothing is mapped there. */
const NOWHERE = 0x3800_0000;

export const benches: readonly Bench[] = [
  {
    name: 'page fault upcall and back',
    unit: 'ns/op',
    baselineName: 'exception caught',
    setup: () => trial((cpu) => void cpu.load32(NOWHERE), throwing),
  },
  {
    name: 'run upcall (yield and back)',
    unit: 'ns/op',
    baselineName: 'generator resume',
    setup: () => trial(yieldCore, resuming()),
  },
];

/** @param leave gives the core away, for the next upcall to come */
function trial(leave: (cpu: UserCpu) => void, detour: (count: number) => number): Trial {
  const count = { upcalls: 0, sum: 0 };
  const program: Program = {
    name: 'upcalls',
    create: (cpu) => ({
      enter(gate) {
        if (gate === Gate.Start) begin(cpu);
        count.upcalls += 1;
        cpu.store32(cpu.arch.dispatcherBase + DispatcherFrame.disabled.offset, 0);
        if (leave !== yieldCore && !cpu.poll()) return; // an interrupt, or the end of the turn
        leave(cpu);
        if (cpu.isLive()) throw new Error('the core is still here');
      },
    }),
  };
  const { machine } = bootPrograms([program]);
  return {
    operations: 1,
    subject: {
      round: () => {
        const before = count.upcalls;
        const start = performance.now();
        machine.run(ROUND_CYCLES);
        const [failure] = machine.programFailures;
        if (failure !== undefined) throw failure.error;
        return ((performance.now() - start) * 1e6) / (count.upcalls - before);
      },
    },
    baseline: {
      round: () => {
        const detours = 5000;
        const start = performance.now();
        count.sum += detour(detours);
        return ((performance.now() - start) * 1e6) / detours;
      },
    },
  };
}

/** Say where upcalls go, and that there is always something to do. */
function begin(cpu: UserCpu): void {
  const { dispatcherBase, imageBase } = cpu.arch;
  for (const [entry, gate] of [
    [DispatcherFrame.runEntry, Gate.Run],
    [DispatcherFrame.pagefaultEntry, Gate.PageFault],
  ] as const) {
    cpu.store32(dispatcherBase + entry.offset, imageBase + GATES_AT + gate * GATE_BYTES);
  }
  cpu.store32(dispatcherBase + DispatcherFrame.haswork.offset, 1);
}

/** Only who is disabled may yield. */
function yieldCore(cpu: UserCpu): void {
  const [number = 0, target = 0] = cpu.arch.argWords;
  cpu.store32(cpu.arch.dispatcherBase + DispatcherFrame.disabled.offset, 1);
  cpu.regs[number] = Syscall.Yield;
  cpu.regs[target] = 0;
  cpu.syscall();
}

function throwing(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    try {
      fault(i);
    } catch {
      sum += i;
    }
  }
  return sum;
}

/** Always throws, an object without a stack trace. */
function fault(code: number): void {
  if (code >= 0) throw code;
}

function resuming(): (count: number) => number {
  function* body(): Generator<number, void, void> {
    for (let i = 0; ; i++) yield i;
  }
  const generator = body();
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += generator.next().value ?? 0;
    return sum;
  };
}
