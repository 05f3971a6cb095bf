/** Bytes from the host on their way into a UART: a FIFO that grows on the host's side only. */

export class ByteFifo {
  private bytes: Uint8Array = new Uint8Array(256);
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(byte: number): void {
    if (this.count === this.bytes.length) this.grow();
    this.bytes[(this.head + this.count) % this.bytes.length] = byte;
    this.count += 1;
  }

  /** The oldest byte, -1 when empty. */
  shift(): number {
    if (this.count === 0) return -1;
    const byte = this.bytes[this.head] ?? -1;
    this.head = (this.head + 1) % this.bytes.length;
    this.count -= 1;
    return byte;
  }

  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    for (let i = 0; i < this.count; i++) {
      larger[i] = this.bytes[(this.head + i) % this.bytes.length] ?? 0;
    }
    this.bytes = larger;
    this.head = 0;
  }
}
