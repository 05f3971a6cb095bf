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

/**
 * Cycles of what goes on between cores, where a topology says how far they are from each other.
 * Both figures for lines are the least squares for one way of a message of `@barreleye/ump` on the
 * topology `8x4`: 548, 590 and 631 cycles within a package, one hop and two hops away.
 * @source Baumann et al., The Multikernel (SOSP 2009), table 2, 8x4-core AMD: 538, 613 and 618
 *   cycles, software included
 */
export const DistanceCost = {
  /** Getting a cache line, or the right to write it, without the hops. */
  Transfer: 250,
  /** A link between two packages, one way. */
  Hop: 10,
  /**
   * From one core to the interrupt line of another, without the hops.
   * @source Barrelfish technical note 5 (48-core SCC): 612 cycles to deliver an interrupt
   */
  Interrupt: 612,
} as const;
