/** The targets that can be booted, by the name one types. */

import type { Target } from '@barreleye/boot';
import { targetArmv7 } from '@barreleye/boot-armv7';
import { targetX86_32, targetX86_32NoPae } from '@barreleye/boot-x86-32';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { UsageError } from './usage-error.ts';

/** What one name stands for. */
interface BootTarget {
  readonly target: Target;
  /** The same machine with page tables without PAE, where there is a choice. */
  readonly withoutPae?: Target;
}

const TARGETS: ReadonlyMap<string, BootTarget> = new Map<string, BootTarget>([
  ['x86_64', { target: targetX86_64 }],
  ['x86_32', { target: targetX86_32, withoutPae: targetX86_32NoPae }],
  ['armv7', { target: targetArmv7 }],
]);

/** Names of all targets. */
export const TARGET_NAMES = [...TARGETS.keys()];

/** The target called `name`. Throws a UsageError that lists the others. */
export function findTarget(name: string): BootTarget {
  const found = TARGETS.get(name);
  if (found === undefined) {
    throw new UsageError(`unknown target '${name}' (there is ${TARGET_NAMES.join(', ')})`);
  }
  return found;
}

/** A target as it was chosen on the command line. */
export interface TargetChoice {
  readonly name: string;
  /** False: page tables without PAE. */
  readonly hasPae: boolean;
}

/** The target that was chosen. Throws a UsageError if there is no such one. */
export function chooseTarget({ name, hasPae }: TargetChoice): Target {
  const { target, withoutPae } = findTarget(name);
  if (hasPae) return target;
  if (withoutPae !== undefined) return withoutPae;
  throw new UsageError(`--no-pae: ${target.name} has one kind of page tables`);
}
