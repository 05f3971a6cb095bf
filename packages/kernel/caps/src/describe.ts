/** Capabilities as people read them: `Frame 0x100000 (64 KiB) rw-giv`. */

import { formatBytes, hex, never, type PhysMem } from '@barreleye/core';
import { Cte, CteFlag, capTypeInfo, capTypeName, type ObjType, Rights } from '@barreleye/spec';
import { isEmpty, type Slot } from './slot.ts';

const RIGHT_LETTERS = [
  ['r', Rights.Read],
  ['w', Rights.Write],
  ['x', Rights.Execute],
  ['g', Rights.Grant],
  ['i', Rights.Identify],
  ['v', Rights.Revoke],
] as const;

/** The capability in `slot`: its type, what it names, its rights, and what is special about it. */
export function describeCap(mem: PhysMem, slot: Slot): string {
  const type = Cte.type.get(mem, slot);
  if (isEmpty(mem, slot)) return capTypeName(type);
  const object = describeObject(mem, slot, type);
  const words = [capTypeName(type), object, describeRights(Cte.rights.get(mem, slot))];
  return [...words, ...describeFlags(Cte.flags.get(mem, slot))].filter((w) => w !== '').join(' ');
}

/** Rights as letters: `rw-giv`. */
export function describeRights(rights: number): string {
  return RIGHT_LETTERS.map(([letter, bit]) => ((rights & bit) !== 0 ? letter : '-')).join('');
}

function describeObject(mem: PhysMem, slot: Slot, type: ObjType): string {
  const base = hex(Cte.base.get(mem, slot));
  const bytes = Cte.bytes.get(mem, slot);
  const arg0 = Cte.arg0.get(mem, slot);
  const arg1 = Cte.arg1.get(mem, slot);
  const { identity } = capTypeInfo(type);
  switch (identity) {
    case 'none':
      return '';
    case 'region':
    case 'object':
      return `${base} (${formatBytes(bytes)})`;
    case 'endpoint':
      return arg1 === 0 ? `of ${base}` : `of ${base} at +${hex(arg0)} (${arg1} words)`;
    case 'mapping':
      return `${base} in ${hex(bytes)} [${arg0}..${arg0 + arg1 - 1}]`;
    case 'range':
      return `${hex(arg0)}..${hex(arg1)}`;
    case 'id':
      return `${arg0}.${arg1}`;
    default:
      return never(identity);
  }
}

function describeFlags(flags: number): string[] {
  const words: string[] = [];
  if ((flags & CteFlag.Locked) !== 0) words.push('locked');
  if ((flags & CteFlag.InDelete) !== 0) words.push('dying');
  return words;
}
