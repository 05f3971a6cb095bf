/**
 * Memory-mapped devices. A device sees offsets into its window; what the host does with it (bytes
 * typed, bytes shown, power) are plain methods of the concrete classes.
 */

/** Something with registers. Offsets are bytes from the start of the window. */
export interface Device {
  /** Read `bytes` (1, 2 or 4) at `offset`. Unused registers read as zero. */
  load(offset: number, bytes: number): number;
  /** Write the low `bytes` bytes of `value` at `offset`. */
  store(offset: number, value: number, bytes: number): void;
}

/** How a device reaches the interrupt controller: raise its line. */
export type RaiseLine = () => void;

/**
 * The host's end of a serial line. The device takes input when its FIFO has room and hands every
 * transmitted byte to `transmit`.
 */
export interface SerialLine {
  /** Called for each byte that the system sends. */
  transmit: (byte: number) => void;
}
