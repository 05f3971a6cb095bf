/** Whole systems for tests: every target, booted small, with the kernel watched or replaced. */

import {
  type BootOptions,
  type BootWishes,
  bootTarget,
  type System,
  type Target,
  withPrograms,
} from '@barreleye/boot';
import { targetArmv7 } from '@barreleye/boot-armv7';
import { targetX86_32, targetX86_32NoPae } from '@barreleye/boot-x86-32';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { checkInvariants, checkTranslations, EntryChecker } from '@barreleye/cpu-driver';
import { CoreMode } from '@barreleye/machine';
import type { Program } from '@barreleye/spec';

/** A target as tests name it. */
export interface TestTarget {
  readonly name: string;
  readonly target: Target;
}

/** Every target there is: what holds for one must hold for all. */
export const TARGETS: readonly TestTarget[] = [
  { name: 'x86_64', target: targetX86_64 },
  { name: 'x86_32', target: targetX86_32 },
  { name: 'x86_32 without PAE', target: targetX86_32NoPae },
  { name: 'armv7', target: targetArmv7 },
];

/** Boot a target, by default small. Throws when it does not boot. */
export function boot({ target }: TestTarget, wishes: BootWishes = {}): System {
  const booted = bootTarget(target, wishes);
  if (!booted.ok) throw new Error(booted.message);
  return booted.system;
}

/**
 * A target whose first domain is `program` instead of init. The images of `others` are modules of
 * the boot, in this order behind its own.
 */
export function withProgram(
  { name, target }: TestTarget,
  program: Program,
  others: readonly Program[] = [],
): TestTarget {
  return { name, target: withPrograms(target, [program, ...others]) };
}

/** Violated invariants of all cores, of those that still run also what their TLBs hold. */
export function checkMachine({ machine, drivers }: System): string[] {
  return [...drivers].flatMap(([id, { kernel }]) => {
    const core = machine.cores[id];
    const isRunning = core?.mode === CoreMode.User || core?.mode === CoreMode.Idle;
    const kept = isRunning ? core.mmu.translations() : [];
    return [...checkInvariants(kernel), ...checkTranslations(kernel, kept)];
  });
}

/** For `wrapDriver`: throws as soon as a kernel entry breaks an invariant of its core. */
export const checkEveryEntry: NonNullable<BootOptions['wrapDriver']> = (driver) => {
  const checker = new EntryChecker(driver.kernel);
  return {
    onTrap(kind) {
      checker.before(kind);
      driver.onTrap(kind);
      const problems = [...checker.after(), ...checkInvariants(driver.kernel)];
      if (problems.length > 0) throw new Error(`after a trap of kind ${kind}: ${problems[0]}`);
    },
  };
};
