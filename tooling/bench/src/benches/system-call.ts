/**
 * System calls on a booted machine: registers, trap, the funnel of the CPU driver, result, back.
 * One does nothing, the other says what a capability is. Beside it a plain function call, which is
 * the same host work without an operating system.
 */
import {
  CNodeCmd,
  CPTR_ROOTCN,
  invokeHeader,
  type Program,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { bootPrograms } from '../boot-programs.ts';

const CALLS = 10_000;

export const benches: readonly Bench[] = [
  bench('nop', ({ arch, regs }) => {
    regs[arch.argWords[0] ?? 0] = Syscall.Nop;
  }),
  bench('identify', ({ arch, regs }) => {
    const words = [Syscall.Invoke, invokeHeader(CNodeCmd.Identify, 2), CPTR_ROOTCN, CPTR_ROOTCN, 2];
    for (let i = 0; i < words.length; i++) regs[arch.argWords[i] ?? 0] = words[i] ?? 0;
  }),
];

function bench(name: string, load: (cpu: UserCpu) => void): Bench {
  const setup = (): Trial => trial(load);
  return { name: `system call (${name})`, unit: 'ns/op', baselineName: 'function call', setup };
}

/** @param load puts the words of the call into the registers */
function trial(load: (cpu: UserCpu) => void): Trial {
  const sums = new Uint32Array(2);
  const program: Program = {
    name: 'nop',
    create: (cpu) => ({
      enter() {
        sums[0] = callKernel(cpu, load);
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

/** `CALLS` system calls that succeed. @returns the sum of what they answer */
function callKernel(cpu: UserCpu, load: (cpu: UserCpu) => void): number {
  const [errLow, , valueLow] = cpu.arch.resultWords;
  let sum = 0;
  for (let i = 0; i < CALLS; i++) {
    load(cpu);
    if (!cpu.syscall() || cpu.regs[errLow] !== 0) throw new Error('the call was refused');
    sum = (sum + (cpu.regs[valueLow] ?? 0)) | 0;
  }
  return sum;
}

/** Something that is called; opaque enough not to vanish. */
function plain(sum: number, i: number): number {
  return (Math.imul(sum, 31) + i) | 0;
}
