/**
 * `caps`: the CSpace of a domain as a tree. Each CNode shows what it holds by kind; with a slot,
 * one CNode is shown slot by slot.
 */

import { formatBytes, hex } from '@barreleye/core';
import type { CapInfo } from '@barreleye/program';
import {
  CAP_TYPES,
  type CapTypeName,
  capTypeName,
  L2_CNODE_SLOTS,
  Rights,
  RootSlot,
  TaskSlot,
} from '@barreleye/spec';
import { type Command, UsageError } from '../command.ts';
import { capsOf, findSubject } from '../inspect.ts';
import { parseNumber } from '../numbers.ts';

const ROOT_SLOT_NAMES = new Map<number, string>(
  Object.entries(RootSlot).map(([name, slot]) => [slot, name]),
);

/** Where a domain has the capability of its own root CNode. */
const ROOT_CNODE_CPTR = RootSlot.TaskCn * L2_CNODE_SLOTS + TaskSlot.RootCn;

/** Capabilities of one kind in one CNode. */
interface Kind {
  count: number;
  bytes: number;
}

export const caps: Command = {
  name: 'caps',
  usage: '[domain [slot]]',
  group: 'Domains',
  summary: 'show what capabilities a domain holds',
  details: [
    "No domain, or 'self': this shell. With a slot of the root CNode: what is in it, one",
    'by one. The letters are rights: read, write, execute, grant, identify, revoke.',
  ],
  example: 'caps self 0',
  argCount: [0, 2],
  argKinds: ['subject', 'nothing'],
  *run(shell, [domain, slot]) {
    const l1 = slot === undefined ? undefined : parseNumber(slot);
    const all = yield* capsOf(shell, yield* findSubject(shell, domain));
    const lines = l1 === undefined ? treeOf(all) : slotsOf(all, l1);
    for (const line of lines) shell.screen.printLine(line);
    return 0;
  },
};

/** What is in the slots of the root CNode, and what is in those, by kind. */
function treeOf(all: readonly CapInfo[]): string[] {
  const self = inCnode(all, RootSlot.TaskCn).find(({ cptr }) => cptr === ROOT_CNODE_CPTR);
  const lines = self === undefined ? [] : [`root ${show(self)}`];
  const root = all.filter(({ level }) => level === 1);
  for (const [i, cap] of root.entries()) {
    const l1 = rootSlotOf(cap);
    const isLast = i === root.length - 1;
    const name = (ROOT_SLOT_NAMES.get(l1) ?? '').padEnd(13);
    lines.push(`${isLast ? '└─' : '├─'} ${String(l1).padStart(2)} ${name} ${show(cap)}`);
    for (const kind of kindsOf(inCnode(all, l1))) lines.push(`${isLast ? ' ' : '│'}      ${kind}`);
  }
  return lines;
}

/** What an L2 CNode holds, one line a kind, in the order of first appearance. */
function kindsOf(held: readonly CapInfo[]): string[] {
  const kinds = new Map<string, Kind>();
  for (const cap of held) {
    const name = kindOf(capTypeName(cap.type));
    const kind = kinds.get(name) ?? { count: 0, bytes: 0 };
    kinds.set(name, { count: kind.count + 1, bytes: kind.bytes + memoryBytes(cap) });
  }
  return [...kinds].map(([name, { count, bytes }], i) => {
    const size = bytes === 0 ? '' : ` (${formatBytes(bytes)})`;
    return `${i === kinds.size - 1 ? '└' : '├'}─ ${count} ${name}${size}`;
  });
}

/** Every slot of the L2 CNode in root slot `l1` that is not empty. */
function slotsOf(all: readonly CapInfo[], l1: number): string[] {
  const cnode = all.find((cap) => cap.level === 1 && rootSlotOf(cap) === l1);
  if (cnode === undefined || capTypeName(cnode.type) !== 'L2CNode') {
    throw new UsageError(`there is no CNode in root slot ${l1}`);
  }
  return inCnode(all, l1).map((cap) => {
    const place = `${l1}.${cap.cptr % L2_CNODE_SLOTS}`;
    return `${place.padEnd(7)} ${show(cap)}`;
  });
}

function inCnode(all: readonly CapInfo[], l1: number): CapInfo[] {
  return all.filter((cap) => cap.level === 2 && rootSlotOf(cap) === l1);
}

function rootSlotOf({ cptr }: CapInfo): number {
  return Math.floor(cptr / L2_CNODE_SLOTS);
}

/** Page tables and mappings are one kind each, whatever the architecture calls them. */
function kindOf(type: string): string {
  if (type.endsWith('_Mapping')) return 'mapping';
  return type.startsWith('VNode_') ? 'page table' : type;
}

function show(cap: CapInfo): string {
  const bytes = memoryBytes(cap);
  const where = bytes === 0 ? '' : ` ${hex(cap.base)} ${formatBytes(bytes)}`;
  return `${capTypeName(cap.type)}${where} ${formatRights(cap.rights)}`;
}

/** Bytes of memory that a capability stands for; its words mean other things in other types. */
function memoryBytes({ type, bytes }: CapInfo): number {
  const name = capTypeName(type);
  if (!Object.hasOwn(CAP_TYPES, name)) return 0;
  const { identity } = CAP_TYPES[name as CapTypeName];
  return identity === 'region' || identity === 'object' ? bytes : 0;
}

function formatRights(rights: number): string {
  const letter = (right: number, c: string): string => ((rights & right) === 0 ? '-' : c);
  return (
    letter(Rights.Read, 'r') +
    letter(Rights.Write, 'w') +
    letter(Rights.Execute, 'x') +
    letter(Rights.Grant, 'g') +
    letter(Rights.Identify, 'i') +
    letter(Rights.Revoke, 'v')
  );
}
