/**
 * RAM of this core that another core owns: what is made of it is for that one to say. Our
 * capability of it stays, and is good for nothing, until the core is off and it is taken back.
 */

import { type Errval, isOk, OK } from '@barreleye/core';
import { KernelCap, type Os, type RamBlock, TASK_KERNEL, unwrap } from '@barreleye/libos';
import { CteFlag } from '@barreleye/spec';

/** What other cores may have of an object: all bits of spec `CteFlag` that say so. */
const ALL_RELATIONS = CteFlag.RemoteCopies | CteFlag.RemoteAncestors | CteFlag.RemoteDescendants;

export class LentRam {
  private readonly os: Os;
  private readonly kernel: KernelCap;
  /** This core, and the one that owns what is lent. */
  private readonly lender: number;
  private readonly owner: number;
  private readonly blocks: RamBlock[];

  constructor(os: Os, lender: number, owner: number) {
    this.os = os;
    this.kernel = new KernelCap(os.sys, TASK_KERNEL);
    this.lender = lender;
    this.owner = owner;
    this.blocks = [];
  }

  /** All that is lent. */
  get bytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  /** @errors SYS_ERR_* it is not ours alone */
  lend(block: RamBlock): Errval {
    const err = this.kernel.setOwner(block.cap, this.owner);
    if (!isOk(err)) return err;
    this.blocks.push(block);
    return OK;
  }

  /** There is nobody else any more: all of it is ours. */
  takeBack(): void {
    for (const { cap } of this.blocks.splice(0)) {
      this.os.check(this.kernel.setOwner(cap, this.lender));
      unwrap(this.kernel.setRelations(cap, 0, ALL_RELATIONS));
    }
  }
}
