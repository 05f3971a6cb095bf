/** `docs/capabilities.md`: every capability type as spec has it, and the retype matrix. */

import { formatBytes } from '@barreleye/core';
import { CAP_TYPE_INFO, type CapTypeInfo, COMMANDS, type Identity } from '@barreleye/spec';
import { table } from './table.ts';

/** What the words of a capability mean, by identity. */
const IDENTITY: { readonly [K in Identity]: string } = {
  none: 'nothing: the type alone is the authority',
  region: 'a range of physical addresses: base and bytes',
  object: 'a kernel object of fixed size: base',
  endpoint: 'a dispatcher, and a buffer in its frame: offset and words',
  mapping: 'a run of entries of one page table, and what they show',
  range: 'numbers from first to last',
  id: 'a core, and a number on that core',
};

const ATTRIBUTES = `- **mappable**: a page table accepts it; a *mapping* capability records where.
- **zeroed**: its memory is zeroed when it is made out of RAM.
- **returned**: the last capability gives the memory back to whoever manages RAM.
- **local**: each object has one owner core, which orders what cores do to it.
- **moveable**: the owner can change. **sendable**: it may be sent to another core.
- **one object**: all capabilities of the type are copies of each other.
- **single**: there is one capability of each; it is neither copied nor minted.
- **repeatable**: it may be retyped again while it has descendants.
- **root**: the root of an address space.`;

/** The page. */
export function renderCapabilities(): string {
  return `# Capability types

Made from the table in \`packages/base/spec/src/cap-types.ts\` by \`npm run reference\`; a test
fails when this page is not what the table says.

## Types

*Size* is the size of an object where the type fixes it; base and size of every object are multiples
of the *granule*.

${table(
  ['#', 'type', 'made from', 'size', 'granule', 'attributes', 'stands for'],
  CAP_TYPE_INFO.map(typeRow),
)}

## Attributes

${ATTRIBUTES}

## Retype matrix

What a capability can be retyped to. Everything else is refused with \`SYS_ERR_INVALID_RETYPE\`.
Mappings are never the result of a retype: mapping makes them.

${table(['source', 'targets'], matrixRows())}

## Invocations

Commands by type, with their numbers; \`packages/base/spec/src/syscalls.ts\` says what words they
take. Page tables have the commands of \`VNodeCmd\`.

${table(['type', 'commands'], commandRows())}
`;
}

function typeRow(info: CapTypeInfo): string[] {
  const { type, name, parents, mapping, bytes, granule, identity } = info;
  const from = mapping ? ['mapping'] : parents.map(nameOf);
  return [
    String(type),
    name,
    from.join(', ') || 'boot',
    bytes === 0 || mapping ? '' : formatBytes(bytes),
    granule === 1 ? '' : formatBytes(granule),
    attributes(info).join(', '),
    IDENTITY[identity],
  ];
}

function attributes(info: CapTypeInfo): string[] {
  const all: readonly (readonly [boolean, string])[] = [
    [info.mappable, 'mappable'],
    [info.zeroed, 'zeroed'],
    [info.ramBacked, 'returned'],
    [info.local, 'local'],
    [info.moveable, 'moveable'],
    [info.sendable, 'sendable'],
    [info.alwaysCopy, 'one object'],
    [info.single, 'single'],
    [info.repeatable, 'repeatable'],
    [info.vspaceRoot, 'root'],
  ];
  return all.filter(([has]) => has).map(([, name]) => name);
}

/** One row for each type that can be retyped. */
function matrixRows(): string[][] {
  const rows: string[][] = [];
  for (const source of CAP_TYPE_INFO) {
    const targets = CAP_TYPE_INFO.filter((t) => !t.mapping && t.parents.includes(source.type));
    if (targets.length > 0) rows.push([source.name, targets.map((t) => t.name).join(', ')]);
  }
  return rows;
}

function commandRows(): string[][] {
  return Object.entries(COMMANDS).map(([type, commands]) => [
    type,
    Object.entries(commands)
      .map(([name, number]) => `${number} ${name}`)
      .join(', '),
  ]);
}

function nameOf(type: number): string {
  return CAP_TYPE_INFO[type]?.name ?? '';
}
