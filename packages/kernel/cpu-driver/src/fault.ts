/**
 * What the handler of a fault is told, arguments 1 to 4 of an upcall (`Arch.upcallArgs`), or, if
 * nobody survives it, a report of the death.
 */

export interface Fault {
  /** Virtual address that could not be used. */
  address: number;
  /** Of a page fault the hardware's code; of any other its `TrapKind`. */
  code: number;
  /** Where the program was. */
  pc: number;
  /** `Access` bits. */
  access: number;
}

/** A record to fill: one is enough for a kernel, so that a fault allocates nothing. */
export function createFault(): Fault {
  return { address: 0, code: 0, pc: 0, access: 0 };
}

/** Nothing that user mode did. */
export const NO_FAULT: Readonly<Fault> = createFault();
