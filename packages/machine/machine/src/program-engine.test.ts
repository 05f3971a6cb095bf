/** The program engine: gates, instances, and where a program counter may not be. */

import {
  Access,
  DISPATCHER_FRAME_BYTES,
  GATE_BYTES,
  GATE_COUNT,
  Gate,
  PageFlag,
  TrapKind,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  createRig,
  DATA_VA,
  DEVICE,
  DISPATCHER_VA,
  enterUser,
  frame,
  gateAt,
  IMAGE_VA,
  load,
  PAGE,
  pcOf,
  programOf,
  type Rig,
  setPc,
  writeGate,
  writeGates,
} from '../test/rig.ts';
import { CoreMode } from './core.ts';
import { ProgramEngine, type ProgramFailure } from './program-engine.ts';

const FOREVER = Number.POSITIVE_INFINITY;
/** A dispatcher frame that has no page of the first one, which begins at frame 1. */
const FAR_FRAME = frame(1 + DISPATCHER_FRAME_BYTES / PAGE);
const { Read, Write, Execute } = PageFlag;

interface EngineRig {
  readonly rig: Rig;
  readonly engine: ProgramEngine;
  /** `instance:gate` of every entry into the program. */
  readonly entries: string[];
}

/** A core at `Gate.Start` of a program that makes a system call whenever it is entered. */
function create(): EngineRig {
  const rig = createRig();
  const entries: string[] = [];
  const caller = programOf('caller', (cpu, gate, instance) => {
    entries.push(`${instance}:${gate}`);
    while (cpu.syscall());
  });
  const engine = new ProgramEngine(rig.core, [caller]);
  load(rig);
  enterUser(rig);
  rig.onTrap = () => rig.core.idle();
  return { rig, engine, entries };
}

/** Have the kernel enter user mode at `pc` at the next interrupt, and idle at every other trap. */
function enterAt({ rig, engine }: EngineRig, pc: number): void {
  const { core } = rig;
  rig.onTrap = (kind) => {
    if (kind !== TrapKind.Interrupt) {
      core.idle();
      return;
    }
    setPc(core, pc);
    core.enterUser();
  };
  core.trap(TrapKind.Interrupt);
  rig.traps.length = 0;
  engine.run(FOREVER);
}

/** The same for a core whose first program runs and idles before. */
function runThenEnterAt(all: EngineRig, pc: number): void {
  all.engine.run(FOREVER);
  enterAt(all, pc);
}

describe('a gate', () => {
  it('is found through the page tables and enters the program that it names', () => {
    const { engine, entries, rig } = create();
    engine.run(FOREVER);
    expect(entries).toEqual([`0:${Gate.Start}`]);
    expect(rig.traps).toEqual([TrapKind.Syscall]);
  });

  it('leaves the program counter at the gate where the program can be resumed', () => {
    for (const gate of [Gate.Start, Gate.Run, Gate.PageFault, Gate.Resume]) {
      const all = create();
      all.engine.run(FOREVER);
      enterAt(all, gateAt(IMAGE_VA, gate));
      expect(all.entries).toEqual([`0:0`, `${gate === Gate.Start ? 1 : 0}:${gate}`]);
      expect(pcOf(all.rig.core)).toBe(gateAt(IMAGE_VA, Gate.Resume));
    }
  });

  it('works at any address, in the high words too', () => {
    const all = create();
    const far = 0x7f12_3456_7000;
    all.rig.tables.map(far, frame(0), Read | Execute);
    runThenEnterAt(all, gateAt(far, Gate.Start));
    expect(all.entries).toEqual([`0:0`, `1:0`]);
    expect(pcOf(all.rig.core)).toBe(gateAt(far, Gate.Resume));
  });

  it('makes an instance at Start and finds it again at every other', () => {
    const all = create();
    all.engine.run(FOREVER);
    enterAt(all, gateAt(IMAGE_VA, Gate.Run));
    enterAt(all, gateAt(IMAGE_VA, Gate.Resume));
    enterAt(all, gateAt(IMAGE_VA, Gate.Trap));
    expect(all.entries).toEqual(['0:0', '0:1', '0:6', '0:5']);
  });

  it('makes a new instance when the same dispatcher frame starts again', () => {
    const all = create();
    all.engine.run(FOREVER);
    enterAt(all, gateAt(IMAGE_VA, Gate.Start));
    enterAt(all, gateAt(IMAGE_VA, Gate.Run));
    expect(all.entries).toEqual(['0:0', '1:0', '1:1']);
  });

  it('knows an instance by its dispatcher frame, wherever that is mapped', () => {
    const all = create();
    const { rig } = all;
    all.engine.run(FOREVER);
    rig.tables.map(DATA_VA, FAR_FRAME, Read | Write);
    rig.core.setThreadPointer(DATA_VA);
    enterAt(all, gateAt(IMAGE_VA, Gate.Start));
    rig.tables.map(DATA_VA + PAGE, frame(1), Read | Write);
    rig.core.setThreadPointer(DATA_VA + PAGE);
    enterAt(all, gateAt(IMAGE_VA, Gate.Run));
    rig.core.setThreadPointer(DATA_VA);
    enterAt(all, gateAt(IMAGE_VA, Gate.Run));
    expect(all.entries).toEqual(['0:0', '1:0', '0:1', '1:1']);
  });
});

describe('the program counter', () => {
  it('in a page that is not mapped is a page fault of an execution', () => {
    const all = create();
    runThenEnterAt(all, DATA_VA + 64);
    const { core, traps } = all.rig;
    expect(traps).toEqual([TrapKind.PageFault]);
    expect([core.faultAddress, core.faultAccess]).toEqual([DATA_VA + 64, Access.Execute]);
    expect(all.entries.length).toBe(1);
  });

  it('in a page without the right to execute is a page fault, gates or not', () => {
    const all = create();
    all.rig.tables.map(DATA_VA, frame(0), Read | Write);
    runThenEnterAt(all, gateAt(DATA_VA, Gate.Run));
    expect(all.rig.traps).toEqual([TrapKind.PageFault]);
    expect(all.rig.core.faultName).toBe('protection');
  });

  it('in a device is a bus error', () => {
    const all = create();
    all.rig.tables.map(DATA_VA, DEVICE, Read | Execute);
    runThenEnterAt(all, DATA_VA);
    expect(all.rig.traps).toEqual([TrapKind.BusError]);
    expect(all.rig.core.faultAddress).toBe(DATA_VA);
  });

  it('in a page without gates is an undefined instruction', () => {
    const all = create();
    all.rig.tables.map(DATA_VA, frame(3), Read | Execute);
    runThenEnterAt(all, DATA_VA);
    expect(all.rig.traps).toEqual([TrapKind.Undefined]);
    expect(pcOf(all.rig.core)).toBe(DATA_VA);
  });

  it.each([
    ['has another opcode', { gate: Gate.Run, program: 0, opcode: 0x0b0f_0b0e }],
    ['has a number that no gate has', { gate: GATE_COUNT, program: 0 }],
    ['names no program of the machine', { gate: Gate.Run, program: 1 }],
    ['names no program at all', { gate: Gate.Start, program: 0xffff_ffff }],
  ])('at a gate that %s is an undefined instruction', (_, contents) => {
    const all = create();
    writeGate(all.rig.mem, frame(3), 0, contents);
    all.rig.tables.map(DATA_VA, frame(3), Read | Execute);
    runThenEnterAt(all, gateAt(DATA_VA, 0));
    expect(all.rig.traps).toEqual([TrapKind.Undefined]);
    expect(all.entries.length).toBe(1);
  });

  it('between two gates is an undefined instruction, also at the end of a page', () => {
    for (const at of [gateAt(0, 1) - 4, gateAt(0, 1) + 8, PAGE - GATE_BYTES / 2]) {
      const all = create();
      // A gate that begins in this page and ends in the next frame, which is not mapped.
      writeGate(all.rig.mem, frame(3), (at - gateAt(0, 0)) / GATE_BYTES, { gate: 1, program: 0 });
      all.rig.tables.map(DATA_VA, frame(3), Read | Execute);
      runThenEnterAt(all, DATA_VA + at);
      expect(all.rig.traps).toEqual([TrapKind.Undefined]);
    }
  });

  it('at any gate but Start is undefined for a dispatcher that was never started', () => {
    for (const gate of [Gate.Run, Gate.Lrpc, Gate.PageFault, Gate.Trap, Gate.Resume]) {
      const all = create();
      all.rig.tables.map(DATA_VA, frame(4), Read | Write);
      all.engine.run(FOREVER);
      all.rig.core.setThreadPointer(DATA_VA);
      enterAt(all, gateAt(IMAGE_VA, gate));
      expect(all.rig.traps).toEqual([TrapKind.Undefined]);
    }
  });

  it('at a gate is undefined while the thread pointer leads nowhere', () => {
    const all = create();
    all.engine.run(FOREVER);
    all.rig.core.setThreadPointer(DATA_VA);
    enterAt(all, gateAt(IMAGE_VA, Gate.Start));
    expect(all.rig.traps).toEqual([TrapKind.Undefined]);
  });
});

describe('the engine', () => {
  it('takes interrupts before it enters a gate', () => {
    const { rig, engine, entries } = create();
    rig.core.raise(5);
    rig.onTrap = (kind) => {
      rig.core.takeInterrupt();
      if (kind === TrapKind.Interrupt) rig.core.resumeUser();
      else rig.core.idle();
    };
    engine.run(FOREVER);
    expect(rig.traps).toEqual([TrapKind.Interrupt, TrapKind.Syscall]);
    expect(entries).toEqual(['0:0']);
  });

  it('runs several programs, each behind its own gates and page tables', () => {
    const rig = createRig();
    const seen: string[] = [];
    const named = (name: string) =>
      programOf(name, (cpu, gate) => {
        seen.push(`${name}:${gate}`);
        cpu.syscall();
      });
    const engine = new ProgramEngine(rig.core, [named('a'), named('b')]);
    load(rig, 0);
    writeGates(rig.mem, frame(2), 1);
    rig.tables.map(DATA_VA, frame(2), Read | Execute);
    rig.tables.map(DISPATCHER_VA + PAGE, FAR_FRAME, Read | Write);
    enterUser(rig);
    const next = [gateAt(DATA_VA, Gate.Start), gateAt(IMAGE_VA, Gate.Run)];
    const pointers = [DISPATCHER_VA + PAGE, DISPATCHER_VA];
    rig.onTrap = () => {
      const pc = next.shift();
      if (pc === undefined) {
        rig.core.idle();
        return;
      }
      rig.core.setThreadPointer(pointers.shift() ?? 0);
      setPc(rig.core, pc);
      rig.core.enterUser();
    };
    engine.run(FOREVER);
    expect(seen).toEqual(['a:0', 'b:0', 'a:1']);
  });

  it('forgets whose dispatcher frame has become part of another', () => {
    const rig = createRig();
    const seen: string[] = [];
    const program = programOf('again', (cpu, gate, instance) => {
      seen.push(`${instance}:${gate}`);
      cpu.syscall();
    });
    const engine = new ProgramEngine(rig.core, [program]);
    load(rig);
    rig.tables.map(DISPATCHER_VA + PAGE, frame(4), Read | Write); // its first page overlaps
    enterUser(rig);
    const start = [gateAt(IMAGE_VA, Gate.Start), DISPATCHER_VA + PAGE] as const;
    const old = [gateAt(IMAGE_VA, Gate.Run), DISPATCHER_VA] as const;
    const next = [start, old];
    rig.onTrap = () => {
      const [pc, pointer] = next.shift() ?? [0, 0];
      if (pc === 0) {
        rig.core.idle();
        return;
      }
      rig.core.setThreadPointer(pointer);
      setPc(rig.core, pc);
      rig.core.enterUser();
    };
    engine.run(FOREVER);
    expect(seen).toEqual(['0:0', '1:0']);
    expect(rig.traps.at(-1)).toBe(TrapKind.Undefined);
  });

  it('pauses a program when its turn is over and resumes the same instance', () => {
    const rig = createRig();
    const log: string[] = [];
    let stepCount = 0;
    const stepper = programOf('stepper', (cpu, gate, instance) => {
      log.push(`${instance}:${gate} r0=${cpu.regs[0]}`);
      while (stepCount < 6) {
        stepCount += 1;
        cpu.regs[0] = stepCount;
        cpu.spend(1000);
        if (!cpu.poll()) return;
      }
      cpu.syscall();
    });
    const engine = new ProgramEngine(rig.core, [stepper]);
    load(rig);
    enterUser(rig);
    rig.onTrap = () => rig.core.idle();
    let turnCount = 0;
    while (rig.core.mode === CoreMode.User) {
      engine.run(rig.core.cycles + 2500);
      turnCount += 1;
    }
    expect(log).toEqual(['0:0 r0=0', '0:6 r0=3', '0:6 r0=6']);
    expect([turnCount, rig.traps]).toEqual([3, [TrapKind.Syscall]]);
  });

  it('comes back at the end of a turn even if the kernel keeps entering user mode', () => {
    const { rig, engine, entries } = create();
    rig.onTrap = () => {
      setPc(rig.core, gateAt(IMAGE_VA, Gate.Run));
      rig.core.enterUser();
    };
    engine.run(rig.core.cycles + 1000);
    expect(rig.core.mode).toBe(CoreMode.User);
    expect(entries.length).toBeGreaterThan(1);
    const before = entries.length;
    engine.run(rig.core.cycles + 1000);
    expect(entries.length).toBeGreaterThan(before);
  });

  it.each([
    ['returns although it holds the core', () => undefined, 'a program returned'],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'broken',
    ],
  ])('drops a program that %s: the kernel sees that it gave up', (_what, run, why) => {
    const rig = createRig();
    const failures: ProgramFailure[] = [];
    const engine = new ProgramEngine(rig.core, [programOf('quitter', run)], (failure) =>
      failures.push(failure),
    );
    load(rig);
    enterUser(rig);
    rig.onTrap = () => {
      setPc(rig.core, gateAt(IMAGE_VA, Gate.Run));
      if (rig.traps.length < 2) rig.core.enterUser();
      else rig.core.idle();
    };
    engine.run(FOREVER);
    expect(rig.traps).toEqual([TrapKind.Abort, TrapKind.Abort]);
    expect(failures.map(({ program, error }) => [program, String(error)])).toEqual([
      ['quitter', expect.stringContaining(why)],
    ]);
  });

  it('does not run a core that is not in user mode', () => {
    const { rig, engine, entries } = create();
    engine.run(FOREVER);
    rig.onTrap = () => expect.unreachable('the core idles');
    engine.run(FOREVER);
    expect(entries.length).toBe(1);
  });

  it('forgets all instances of a core that goes off', () => {
    const { rig, engine, entries } = create();
    rig.onTrap = () => rig.core.halt();
    engine.run(FOREVER);
    expect(entries.length).toBe(1);
    enterUser(rig);
    rig.core.setThreadPointer(DISPATCHER_VA);
    setPc(rig.core, gateAt(IMAGE_VA, Gate.Run));
    engine.run(FOREVER);
    expect(entries.length, 'nobody is entered again').toBe(1);
    expect(rig.traps.at(-1)).toBe(TrapKind.Undefined);
  });

  it('does not show a program that its system call broke the kernel', () => {
    const rig = createRig();
    const seen: unknown[] = [];
    const catcher = programOf('catcher', (cpu) => {
      try {
        seen.push(cpu.syscall());
      } catch (error) {
        seen.push(error);
      }
    });
    const engine = new ProgramEngine(rig.core, [catcher]);
    load(rig);
    enterUser(rig);
    rig.onTrap = () => {
      throw new Error('a bug in the kernel');
    };
    engine.run(FOREVER);
    expect(seen).toEqual([false]);
    expect(String(rig.core.failure)).toContain('a bug in the kernel');
    expect(rig.core.mode).toBe(CoreMode.Halted);
  });
});
