/**
 * `vm`: the address space of init. `vm <address>` goes down the page tables to one page, as init
 * knows them; the kernel is asked where each table lies.
 */

import { formatBytes, hex } from '@barreleye/core';
import { capIdentify, unwrap, type Wait } from '@barreleye/libos';
import type { Region } from '@barreleye/paging';
import { PageFlag } from '@barreleye/spec';
import { type Command, parseNumber, type Shell } from '../shell.ts';

export const vm: Command = {
  name: 'vm',
  usage: '[address]',
  summary: 'show the address space, or the page tables on the way to an address',
  argCount: [0, 1],
  *run(shell, [text]) {
    if (text === undefined) yield* showRegions(shell);
    else yield* showWalk(shell, parseNumber(text));
  },
};

function* showRegions({ os, console, memory }: Shell): Wait<void> {
  const { vspace } = memory;
  const shown = new Map<Region, number>();
  for (const run of vspace.mapped()) {
    const region = vspace.lookup(run.va)?.region;
    if (region !== undefined) shown.set(region, (shown.get(region) ?? 0) + run.bytes);
  }
  for (const region of vspace.regions()) {
    const { base, bytes, kind, flags, name } = region;
    const mapped = shown.get(region) ?? 0;
    const part = mapped === bytes ? '' : `, ${formatBytes(mapped)} of it mapped`;
    const what = `${formatFlags(flags)} ${kind} ${name}`.trimEnd();
    console.printLine(`${hex(base)}-${hex(base + bytes - 1)} ${formatBytes(bytes)} ${what}${part}`);
    yield* os.preempt();
  }
  console.printLine(`${vspace.regions().length} regions, ${vspace.tableCount} page tables`);
}

/** One line a table, then the page; a page that is missing is no error. */
function* showWalk({ os, console, memory }: Shell, va: number): Wait<void> {
  const { vspace } = memory;
  for (const { table, level, index } of vspace.path(va)) {
    const { type, base } = unwrap(capIdentify(os.sys, table));
    console.printLine(`level ${level}: ${type} at ${hex(base)}, entry ${index}`);
  }
  const page = vspace.lookup(va);
  if (page === undefined) {
    const region = vspace.regions().find((r) => r.base <= va && va < r.base + r.bytes);
    const where = region === undefined ? '' : `; it lies in a ${region.kind} region`;
    console.printLine(`${hex(va)} is not mapped${where}`);
    return;
  }
  const { base } = unwrap(capIdentify(os.sys, page.frame));
  const size = formatBytes(2 ** page.pageBits);
  console.printLine(
    `${hex(va)} is ${hex(base + page.offset)}, ${size} page ${formatFlags(page.flags)}`,
  );
  yield* os.preempt();
}

/** Letters of `PageFlag` bits. */
export function formatFlags(flags: number): string {
  const letter = (flag: number, c: string): string => ((flags & flag) === 0 ? '-' : c);
  return letter(PageFlag.Read, 'r') + letter(PageFlag.Write, 'w') + letter(PageFlag.Execute, 'x');
}
