/** What benches do in a capability space, over and over, always to pages that chance has drawn. */
import {
  copy,
  copyToSlot,
  createRangeAnswer,
  deleteCap,
  findObject,
  findRange,
  moveToSlot,
  retype,
} from '@barreleye/caps';
import { BASE_PAGE_SIZE, type Errval, isOk } from '@barreleye/core';
import { errName, L2_CNODE_SLOTS, ObjType } from '@barreleye/spec';
import type { Gauge } from './bench.ts';
import type { CapSpace } from './cap-space.ts';
import { timing } from './sides.ts';

/** Find the capability of a page. */
export function lookup(space: CapSpace, operations: number): () => void {
  const { caps } = space;
  const sums = new Float64Array(1);
  return () => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const page = space.draw();
      sum += findObject(caps, ObjType.RAM, space.baseOf(page), space.bytesOf(page));
    }
    sums[0] = sum;
  };
}

/** Ask what retype asks: what is in the way on a page. */
export function queryRange(space: CapSpace, operations: number): () => void {
  const { caps } = space;
  const answer = createRangeAnswer();
  const sums = new Float64Array(1);
  return () => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      findRange(caps, ObjType.RAM, space.baseOf(space.draw()), BASE_PAGE_SIZE, answer);
      sum += answer.slot;
    }
    sums[0] = sum;
  };
}

/** Take the capability of a page out of its slot and the database, and enter it in another slot. */
export function move(space: CapSpace, operations: number): () => void {
  const { caps } = space;
  let empty = space.emptySlot(0, 0);
  return () => {
    for (let i = 0; i < operations; i++) {
      const page = space.draw();
      const source = space.slotOf(page);
      moveToSlot(caps, source, empty);
      space.moved(page, empty);
      empty = source;
    }
  };
}

/** Enter copies of pages; to delete them again is not measured. */
export function insert(space: CapSpace): Gauge {
  const { caps } = space;
  const slots = Array.from({ length: L2_CNODE_SLOTS }, (_, i) => space.emptySlot(1, i));
  const call = (): void => {
    for (const slot of slots) copyToSlot(caps, space.slotOf(space.draw()), slot);
  };
  const after = (): void => {
    for (const slot of slots) mustSucceed(deleteCap(caps, slot));
  };
  return timing({ call, after }, slots.length);
}

/** Copy the capability of a page, and delete the copy. */
export function copyAndDelete(space: CapSpace, operations: number): () => void {
  const { caps } = space;
  const target = space.emptySlot(1, 0);
  const rest = { isMint: false, keptRights: 0, param1: 0, param2: 0 };
  const request = { source: target, cnode: space.emptyCNode(1), slotIndex: 0, ...rest };
  return () => {
    for (let i = 0; i < operations; i++) {
      request.source = space.slotOf(space.draw());
      mustSucceed(copy(caps, request));
      mustSucceed(deleteCap(caps, target));
    }
  };
}

/** Make RAM of the free half of two pages, and delete it. */
export function retypeAndDelete(space: CapSpace, operations: number): () => void {
  const { caps } = space;
  const target = space.emptySlot(1, 0);
  const request = {
    source: target,
    offset: 0,
    type: ObjType.RAM,
    objectBytes: BASE_PAGE_SIZE,
    count: 1,
    cnode: space.emptyCNode(1),
    slotIndex: 0,
    isFromMonitor: false,
  };
  return () => {
    for (let i = 0; i < operations; i++) {
      request.source = space.slotOf(evenPage(space));
      mustSucceed(retype(caps, request));
      mustSucceed(deleteCap(caps, target));
    }
  };
}

/** Panic, as a bench whose operations fail measures something else. */
export function mustSucceed(err: Errval): void {
  if (!isOk(err)) throw new Error(errName(err));
}

/** A page that begins two pages of RAM. */
function evenPage(space: CapSpace): number {
  const page = space.draw();
  return page - (page % 2);
}
