/** What the user of the prompt has allocated, by name: `m1`, `m2`, the lowest that is free. */

import { hex } from '@barreleye/core';

/** One allocation. */
export interface Block {
  readonly name: string;
  readonly bytes: number;
  /** Physical and virtual address. */
  readonly base: number;
  readonly va: number;
  /** Undoes the allocation. */
  readonly release: () => void;
}

/** A block in one line. */
export function describeBlock({ name, bytes, base, va }: Block): string {
  return `${name}: ${bytes} bytes at physical ${hex(base)}, mapped at ${hex(va)}`;
}

export class Blocks {
  private readonly byName: Map<string, Block>;
  /** Nothing lower is free. */
  private lowest: number;

  constructor() {
    this.byName = new Map();
    this.lowest = 1;
  }

  /** The name that the next block is to have. */
  get freeName(): string {
    return `m${this.lowest}`;
  }

  /** All blocks, the first made first. */
  all(): Iterable<Block> {
    return this.byName.values();
  }

  /** Their names, likewise. */
  names(): string[] {
    return [...this.byName.keys()];
  }

  get(name: string): Block | undefined {
    return this.byName.get(name);
  }

  /** Add a block that has the free name. */
  add(block: Block): void {
    this.byName.set(block.name, block);
    while (this.byName.has(this.freeName)) this.lowest += 1;
  }

  delete({ name }: Block): void {
    this.byName.delete(name);
    this.lowest = Math.min(this.lowest, Number(name.slice(1)));
  }
}
