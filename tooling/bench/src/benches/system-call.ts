/**
 * A system call that does nothing, on a booted machine: registers, trap, the funnel of the CPU
 * driver, result, back. Beside it a plain function call, which is the same host work without an
 * operating system.
 */
import { type Program, Syscall, type UserCpu } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';

const CALLS = 10_000;

export const benches: readonly Bench[] = [
  { name: 'system call (nop)', unit: 'ns/op', baselineName: 'function call', setup },
];

function setup(): Trial {
  const sums = new Uint32Array(2);
  const program: Program = {
    name: 'nop',
    create: (cpu) => ({
      enter() {
        sums[0] = callKernel(cpu);
        cpu.poll(); // the turn is over: back to the host
      },
    }),
  };
  const { machine } = bootPrograms([program]);
  return {
    operations: CALLS,
    subject: () => {
      machine.run(1);
    },
    baseline: () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum = plain(sum, i);
      sums[1] = sum;
    },
  };
}

/** `CALLS` system calls; the sum of their results, so that none can be left out. */
function callKernel(cpu: UserCpu): number {
  const [number = 0] = cpu.arch.argWords;
  const [result] = cpu.arch.resultWords;
  let sum = 0;
  for (let i = 0; i < CALLS; i++) {
    cpu.regs[number] = Syscall.Nop;
    if (!cpu.syscall()) throw new Error('a system call that does nothing took the core away');
    sum = (sum + (cpu.regs[result] ?? 0)) | 0;
  }
  return sum;
}

/** Something that is called; opaque enough not to vanish. */
function plain(sum: number, i: number): number {
  return (Math.imul(sum, 31) + i) | 0;
}
