/** The invariants of a memory manager as code. For tests and inspectors: it walks everything. */

import { BASE_PAGE_SIZE, hex } from '@barreleye/core';
import type { Mm } from './mm.ts';
import type { MmNode, MmRegion } from './mm-store.ts';

/**
 * What is wrong with `mm`, one sentence each; empty when all is well.
 * Nodes are whole pages in address order, overlap nowhere, tile each region exactly; free
 * neighbours of one parent are one node; the sums are what the manager says they are.
 */
export function checkMm<C>(mm: Mm<C>): string[] {
  const nodes = mm.nodes();
  return [
    ...mm.store.checkStructure(),
    ...checkOrder(nodes),
    ...mm.regions().flatMap((region) => checkRegion(region, nodes)),
    ...checkSums(mm, nodes),
  ];
}

function checkOrder<C>(nodes: readonly MmNode<C>[]): string[] {
  const wrong: string[] = [];
  let before: MmNode<C> | undefined;
  for (const node of nodes) {
    const name = `node ${hex(node.base)}`;
    if (node.base % BASE_PAGE_SIZE !== 0) wrong.push(`${name} does not begin at a page`);
    if (node.bytes % BASE_PAGE_SIZE !== 0) wrong.push(`${name} is not whole pages`);
    if (node.bytes <= 0) wrong.push(`${name} is empty`);
    if (before !== undefined) {
      if (before.base >= node.base) wrong.push(`${name} is out of order`);
      else if (before.base + before.bytes > node.base) {
        wrong.push(`${name} overlaps the one before`);
      }
      if (before.parent === node.parent && before.state === 'free' && node.state === 'free') {
        wrong.push(`${name} is not merged with the free node before`);
      }
    }
    before = node;
  }
  return wrong;
}

function checkRegion<C>(region: MmRegion<C>, nodes: readonly MmNode<C>[]): string[] {
  const wrong: string[] = [];
  const name = `region ${hex(region.base)}`;
  let covered: number = region.base;
  for (const node of nodes) {
    if (node.parent !== region) continue;
    if (node.base !== covered) wrong.push(`${name} is not covered at ${hex(covered)}`);
    covered = node.base + node.bytes;
  }
  const end = region.base + region.bytes;
  if (covered !== end) wrong.push(`${name} is covered up to ${hex(covered)}, not ${hex(end)}`);
  return wrong;
}

function checkSums<C>(mm: Mm<C>, nodes: readonly MmNode<C>[]): string[] {
  const wrong: string[] = [];
  const free = sum(nodes.filter(({ state }) => state === 'free'));
  const total = sum(nodes);
  const added = sum(mm.regions());
  if (free !== mm.freeBytes()) wrong.push(`${free} bytes are free, not ${mm.freeBytes()}`);
  if (total !== mm.totalBytes()) wrong.push(`nodes hold ${total} bytes, not ${mm.totalBytes()}`);
  if (total !== added) wrong.push(`nodes hold ${total} bytes of ${added} that were added`);
  if (nodes.length !== mm.store.usedNodes()) {
    wrong.push(`there are ${nodes.length} nodes, not ${mm.store.usedNodes()}`);
  }
  return wrong;
}

function sum(ranges: readonly { readonly bytes: number }[]): number {
  return ranges.reduce((bytes, range) => bytes + range.bytes, 0);
}
