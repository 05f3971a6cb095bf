/**
 * `caps`: init's own CSpace as a tree, as the kernel identifies it. Each CNode shows what it holds
 * by kind; `caps <slot>` shows one CNode slot by slot.
 */

import { formatBytes, hex } from '@barreleye/core';
import {
  type CapIdentity,
  capIdentify,
  capref,
  rootCapref,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { CAP_TYPES, CTE_BYTES, L2_CNODE_SLOTS, Rights, RootSlot } from '@barreleye/spec';
import { type Command, parseNumber, type Shell, UsageError } from '../shell.ts';

const ROOT_SLOT_NAMES = new Map<number, string>(
  Object.entries(RootSlot).map(([name, slot]) => [slot, name]),
);

/** Capabilities of one kind in one CNode. */
interface Kind {
  count: number;
  bytes: number;
}

export const caps: Command = {
  name: 'caps',
  usage: '[slot]',
  summary: 'show what capabilities init holds, or one CNode slot by slot',
  argCount: [0, 1],
  *run(shell, [text]) {
    if (text === undefined) yield* showTree(shell);
    else yield* showCnode(shell, parseNumber(text));
  },
};

/** The root CNode, what is in its slots, and what is in those, by kind. */
function* showTree(shell: Shell): Wait<void> {
  const { console, os } = shell;
  const root = unwrap(capIdentify(os.sys, TASK_ROOT_CN));
  console.printLine(`root ${show(root)}`);
  const full: (readonly [number, CapIdentity])[] = [];
  for (let l1 = 0; l1 < root.bytes / CTE_BYTES; l1++) {
    const held = capIdentify(os.sys, rootCapref(l1));
    if (held.ok) full.push([l1, held.value]);
  }
  for (const [i, [l1, cap]] of full.entries()) {
    const isLast = i === full.length - 1;
    const name = ROOT_SLOT_NAMES.get(l1) ?? '';
    const branch = isLast ? '└─' : '├─';
    console.printLine(`${branch} ${String(l1).padStart(2)} ${name.padEnd(13)} ${show(cap)}`);
    if (cap.type === 'L2CNode') yield* showKinds(shell, l1, isLast ? ' ' : '│');
  }
}

/** What an L2 CNode holds, one line a kind, in the order of first appearance. */
function* showKinds({ os, console }: Shell, l1: number, stem: string): Wait<void> {
  const kinds = new Map<string, Kind>();
  for (let slot = 0; slot < L2_CNODE_SLOTS; slot++) {
    const held = capIdentify(os.sys, capref(l1, slot));
    if (!held.ok) continue;
    const name = kindOf(held.value);
    const kind = kinds.get(name) ?? { count: 0, bytes: 0 };
    kinds.set(name, { count: kind.count + 1, bytes: kind.bytes + memoryBytes(held.value) });
  }
  let left = kinds.size;
  for (const [name, { count, bytes }] of kinds) {
    left -= 1;
    const size = bytes === 0 ? '' : ` (${formatBytes(bytes)})`;
    console.printLine(`${stem}      ${left === 0 ? '└' : '├'}─ ${count} ${name}${size}`);
  }
  yield* os.preempt();
}

/** Every slot of the L2 CNode in root slot `l1` that is not empty. */
function* showCnode({ os, console }: Shell, l1: number): Wait<void> {
  const cnode = l1 < 2 ** 24 ? capIdentify(os.sys, rootCapref(l1)) : undefined;
  if (!cnode?.ok || cnode.value.type !== 'L2CNode') {
    throw new UsageError(`there is no CNode in root slot ${l1}`);
  }
  for (let slot = 0; slot < L2_CNODE_SLOTS; slot++) {
    const held = capIdentify(os.sys, capref(l1, slot));
    if (held.ok) console.printLine(`${`${l1}.${slot}`.padEnd(7)} ${show(held.value)}`);
  }
  yield* os.preempt();
}

/** Page tables and mappings are one kind each, whatever the architecture calls them. */
function kindOf({ type }: CapIdentity): string {
  if (type.endsWith('_Mapping')) return 'mapping';
  return type.startsWith('VNode_') ? 'page table' : type;
}

function show(cap: CapIdentity): string {
  const bytes = memoryBytes(cap);
  const where = bytes === 0 ? '' : ` ${hex(cap.base)} ${formatBytes(bytes)}`;
  return `${cap.type}${where} ${formatRights(cap.rights)}`;
}

/** Bytes of memory that a capability stands for; its words mean other things in other types. */
function memoryBytes({ type, bytes }: CapIdentity): number {
  const { identity } = CAP_TYPES[type];
  return identity === 'region' || identity === 'object' ? bytes : 0;
}

function formatRights(rights: number): string {
  const letter = (right: number, c: string): string => ((rights & right) === 0 ? '-' : c);
  return (
    letter(Rights.Read, 'r') +
    letter(Rights.Write, 'w') +
    letter(Rights.Execute, 'x') +
    letter(Rights.Grant, 'g') +
    letter(Rights.Identify, 'i')
  );
}
