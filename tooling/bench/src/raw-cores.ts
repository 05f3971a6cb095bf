/**
 * A machine on which every core runs one loop and nothing else: no kernel, no domains. So what is
 * measured is what cores say to each other, in virtual time. All memory is mapped at its own
 * address, for everybody.
 */
import { alignUp, asPaddr, asPtr, BASE_PAGE_SIZE, type Paddr, panic } from '@barreleye/core';
import { boardPc64, type Core, Machine, packageRam } from '@barreleye/machine';
import { pagingX86_64 as paging } from '@barreleye/paging-x86-64';
import {
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  Gate,
  GateWord,
  PageFlag,
  type Program,
  packageCount,
  type Topology,
  type UserCpu,
  writeRegister,
} from '@barreleye/spec';

const { Read, Write, Execute } = PageFlag;
const RAM_BYTES = 64 * 2 ** 20;
const LINE_BITS = 6;
/** What the tables, images and frames of all cores may take, at the beginning of RAM. */
const PRIVATE_BYTES = 2 ** 20;
/** Cycles between two looks whether it is done. */
const STEP_CYCLES = 20_000;
/** Level of page tables whose entries map 1 GiB. */
const GIB_LEVEL = 1;

/** What a core does, over and over. */
export type Loop = () => void;

export interface RawCores {
  readonly topology: Topology;
  readonly coreCount: number;
  /** Makes the loop of core `core`. */
  readonly loopOf: (core: number, cpu: UserCpu) => Loop;
}

/** Hands out memory of chosen packages. All of it begins as zero. */
export class NearMemory {
  private readonly next: number[];

  constructor(topology: Topology) {
    const parts = packageRam(packageCount(topology), boardPc64.ramRanges(RAM_BYTES));
    this.next = parts.map(({ base }) => base + PRIVATE_BYTES);
  }

  /** The address of `bytes` bytes of the RAM of package `home`, on cache lines of their own. */
  take(home: number, bytes: number): number {
    const at = this.next[home] ?? panic('there is no such package');
    this.next[home] = alignUp(at + bytes, LINE_BITS);
    return at;
  }
}

/** Run all cores until `isDone` says so. */
export function runRawCores(
  { topology, coreCount, loopOf }: RawCores,
  isDone: () => boolean,
): void {
  const machine = new Machine({
    board: boardPc64,
    paging,
    programs: Array.from({ length: coreCount }, (_, core) =>
      loopProgram((cpu) => loopOf(core, cpu)),
    ),
    ramBytes: RAM_BYTES,
    coreCount,
    seed: 1,
    topology,
  });
  let at: number = machine.mem.origin;
  const takePage = (): Paddr => {
    at += BASE_PAGE_SIZE;
    return asPaddr(at - BASE_PAGE_SIZE);
  };
  const [root, directory] = [takePage(), takePage()];
  paging.initRoot(machine.mem, root);
  paging.writeTable(machine.mem, 0, root, 0, directory);
  paging.writePage(machine.mem, GIB_LEVEL, directory, 0, asPaddr(0), Read | Write | Execute);
  for (const core of machine.cores) start(core, root, takePage(), takePage());
  while (!isDone()) {
    machine.run(STEP_CYCLES);
    const [failure] = machine.programFailures;
    if (failure !== undefined) throw failure.error;
  }
}

function loopProgram(loopOf: (cpu: UserCpu) => Loop): Program {
  return {
    name: 'loop',
    create(cpu) {
      const loop = loopOf(cpu);
      return {
        enter() {
          do loop();
          while (cpu.poll());
        },
      };
    },
  };
}

/** Put a core into user mode at the gates in `image`. */
function start(core: Core, root: Paddr, image: Paddr, frame: Paddr): void {
  for (let gate = 0; gate < GATE_COUNT; gate++) {
    const word = asPtr<'GateWord'>(image + GATES_AT + gate * GATE_BYTES);
    GateWord.opcode.set(core.mem, word, core.arch.gateOpcode);
    GateWord.gate.set(core.mem, word, gate);
    GateWord.program.set(core.mem, word, core.coreId);
  }
  const handler = { onTrap: (kind: number) => panic(`a trap of kind ${kind} was not expected`) };
  core.powerOn(handler, () => {
    core.loadRoot(root, 1);
    core.setThreadPointer(frame);
    writeRegister(core.regs, core.arch.pc, image + GATES_AT + Gate.Start * GATE_BYTES);
    core.enterUser();
  });
}
