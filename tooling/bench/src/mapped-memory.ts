/** Memory mapped page by page through tables in the hardware's format, for benches to walk. */
import { asPaddr, type Paddr, PhysMem, Prng } from '@barreleye/core';
import { PageFlag, type Paging } from '@barreleye/spec';

const ORIGIN = 0x20_0000;
const TABLES_BYTES = 2 ** 20;

export class MappedMemory {
  readonly mem: PhysMem;
  readonly root: Paddr;
  readonly pageCount: number;
  private readonly paging: Paging;
  private nextTable: number;

  /** Pages of RAM behind the tables, in random order, mapped at `base` and behind it. */
  constructor(paging: Paging, base: number, pageCount: number, seed: number) {
    const frames = ORIGIN + TABLES_BYTES;
    this.mem = new PhysMem(new SharedArrayBuffer(TABLES_BYTES + pageCount * 4096), ORIGIN);
    this.paging = paging;
    this.pageCount = pageCount;
    this.nextTable = ORIGIN;
    this.root = this.takeTable(0);
    paging.initRoot(this.mem, this.root);
    const order = shuffled(pageCount, new Prng(seed));
    for (const [page, frame] of order.entries()) {
      this.map(base + page * 4096, asPaddr(frames + frame * 4096));
    }
  }

  private map(va: number, frame: Paddr): void {
    const { mem, paging } = this;
    const last = paging.levels.length - 1;
    let table = this.root;
    for (let level = 0; level < last; level++) {
      const index = paging.entryIndex(level, va);
      if (!paging.isPresent(mem, level, table, index)) {
        paging.writeTable(mem, level, table, index, this.takeTable(level + 1));
      }
      table = paging.readEntry(mem, level, table, index).base;
    }
    const flags = PageFlag.Read | PageFlag.Write;
    paging.writePage(mem, last, table, paging.entryIndex(last, va), frame, flags);
  }

  private takeTable(level: number): Paddr {
    const bytes = this.paging.levels[level]?.tableBytes ?? 0;
    const at = Math.ceil(this.nextTable / bytes) * bytes;
    this.nextTable = at + bytes;
    return asPaddr(at);
  }
}

/** The numbers from 0 to `count` - 1 in random order. */
function shuffled(count: number, random: Prng): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}
