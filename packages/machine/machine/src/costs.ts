/**
 * The cost model of the simulated core, in cycles. It decides virtual time, never correctness.
 * The figures have the order of magnitude of a current out-of-order core; they are not a claim.
 */

/** Cycles of the events that a core charges for. */
export const Cost = {
  /** Into the kernel and out again. */
  Trap: 100,
  /** Entering a program at a gate. */
  Gate: 20,
  /** A point of pre-emption: whoever does nothing else still lets time pass. */
  Poll: 1,
  /** A load or store that the TLB translates. */
  Access: 1,
  /** A page walk, on top. */
  Walk: 30,
  /** An access to a device register, on top. */
  Device: 100,
  /** Loading a translation root. */
  LoadRoot: 50,
} as const;
