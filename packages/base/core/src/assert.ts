/**
 * Bugs in our own code stop the machine. Nothing here is for errors that a user can cause: those
 * are values (errval.ts). Assertions stay on in every build.
 */

/** A broken invariant of the system itself. Caught only by hosts, apps and test runners. */
export class KernelPanic extends Error {
  override readonly name = 'KernelPanic';
}

/** Stop: the system cannot be trusted any further. */
export function panic(message: string): never {
  throw new KernelPanic(message);
}

/** State one fact that must hold here. One condition per call. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) panic(message);
}

/** The end of a `switch` over a closed union: reaching it is a bug, and a compile error first. */
export function never(value: never): never {
  return panic(`impossible case: ${String(value)}`);
}
