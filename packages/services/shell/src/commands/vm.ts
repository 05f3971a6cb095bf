/**
 * `vm`: the address space of a domain. With an address it goes down the page tables to one page, as
 * the shell knows its own; the kernel is asked where each table lies. Of other domains only the
 * region is known.
 */

import { formatBytes, hex } from '@barreleye/core';
import { capIdentify, unwrap, type Wait } from '@barreleye/libos';
import type { DomainInfo, RegionInfo } from '@barreleye/program';
import { type Command, UsageError } from '../command.ts';
import { describeDomain } from '../domains.ts';
import { findSubject, SELF, spaceOf } from '../inspect.ts';
import { formatCount, formatFlags, formatRange, parseAddress } from '../numbers.ts';
import type { Shell } from '../shell.ts';

/** For those who have typed an address without its 0x. */
const HINT = "'ps' lists them; an address begins with 0x";

export const vm: Command = {
  name: 'vm',
  usage: '[domain] [0xaddress]',
  group: 'Domains',
  summary: 'show an address space, or what is at an address',
  details: [
    'An address begins with 0x. No domain: this shell, of which also the page tables on',
    'the way to the address are shown.',
  ],
  example: 'vm 0x8000004000',
  argCount: [0, 2],
  argKinds: ['subject', 'nothing'],
  *run(shell, args) {
    const isAddress = (text: string): boolean => /^0x/i.test(text);
    const [first = SELF, second] = args;
    const [domainText, addressText] = isAddress(first) ? [SELF, first] : [first, second];
    if (isAddress(first) && second !== undefined) {
      throw new UsageError('the domain comes before the address');
    }
    const va = addressText === undefined ? undefined : parseAddress(shell.os.arch, addressText);
    const subject = yield* findSubject(shell, domainText, HINT);
    if (va === undefined) yield* showRegions(shell, subject);
    else if (subject === undefined) yield* showWalk(shell, va);
    else yield* showRegionAt(shell, subject, va);
    return 0;
  },
};

function* showRegions(shell: Shell, subject: DomainInfo | undefined): Wait<void> {
  const { screen } = shell;
  const { regions, tableCount } = yield* spaceOf(shell, subject);
  for (const region of regions) screen.printLine(describeRegion(region));
  const counts = [formatCount(regions.length, 'region'), formatCount(tableCount, 'page table')];
  screen.printLine(counts.join(', '));
}

/** One line a table, then the page; a page that is missing is no error. */
function* showWalk({ os, screen }: Shell, va: number): Wait<void> {
  const { vspace } = os.memory;
  for (const { table, level, index } of vspace.path(va)) {
    const { type, base } = unwrap(capIdentify(os.sys, table));
    screen.printLine(`level ${level}: ${type} at ${hex(base)}, entry ${index}`);
  }
  const page = vspace.lookup(va);
  if (page === undefined) {
    const region = regionAt(vspace.regions(), va);
    const where = region === undefined ? '' : `; it lies in a ${region.kind} region`;
    screen.printLine(`${hex(va)} is not mapped${where}`);
    return;
  }
  const { base } = unwrap(capIdentify(os.sys, page.frame));
  const size = formatBytes(2 ** page.pageBits);
  screen.printLine(
    `${hex(va)} is ${hex(base + page.offset)}, ${size} page ${formatFlags(page.flags)}`,
  );
  yield* os.preempt();
}

function* showRegionAt(shell: Shell, subject: DomainInfo, va: number): Wait<void> {
  const { regions } = yield* spaceOf(shell, subject);
  const region = regionAt(regions, va);
  const text =
    region === undefined
      ? `${hex(va)} lies in no region of ${describeDomain(shell, subject)}`
      : describeRegion(region);
  shell.screen.printLine(text);
}

function describeRegion({ base, bytes, mappedBytes, kind, flags, name }: RegionInfo): string {
  const part = mappedBytes === bytes ? '' : `, ${formatBytes(mappedBytes)} of it mapped`;
  const what = `${formatFlags(flags)} ${kind} ${name}`.trimEnd();
  return `${formatRange(base, bytes)} ${what}${part}`;
}

/** The region that `va` lies in. */
function regionAt<R extends Pick<RegionInfo, 'base' | 'bytes'>>(
  regions: readonly R[],
  va: number,
): R | undefined {
  return regions.find(({ base, bytes }) => base <= va && va < base + bytes);
}
