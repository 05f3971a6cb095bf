/** `mem`: memory of the system, and of a domain. */

import { formatBytes } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import type { CoreStatus } from '@barreleye/program';
import { describeBlock } from '../blocks.ts';
import type { Command } from '../command.ts';
import { askCore } from '../deadline.ts';
import { describeDomain } from '../domains.ts';
import { findSubject, spaceOf } from '../inspect.ts';
import { formatCount, formatFlags, formatRange } from '../numbers.ts';
import type { Shell } from '../shell.ts';

export const mem: Command = {
  name: 'mem',
  usage: '[domain]',
  group: 'Memory of this shell',
  summary: 'show free memory, and what a domain uses',
  details: ['No domain: this shell, and what alloc has made.'],
  example: 'mem terminal',
  argCount: [0, 1],
  argKinds: ['subject', 'nothing'],
  *run(shell, [text]) {
    const { os, screen, session, own } = shell;
    const subject = yield* findSubject(shell, text);
    const { usedBytes, quotaBytes, ...here } = yield* os.system.memory({});
    const core = subject?.core ?? own.core;
    const { freeBytes, totalBytes } = core === own.core ? here : yield* memoryOf(shell, core);
    screen.printLine(`free ${freeBytes} of ${totalBytes} bytes (${formatBytes(freeBytes)})`);
    if (subject === undefined) showUse(shell, 'this shell', usedBytes, quotaBytes);
    else showUse(shell, describeDomain(shell, subject), subject.usedBytes, subject.quotaBytes);
    const { regions, tableCount } = yield* spaceOf(shell, subject);
    const counts = [formatCount(tableCount, 'page table'), formatCount(regions.length, 'region')];
    screen.printLine(counts.join(', '));
    for (const { base, bytes, flags } of regions) {
      screen.printLine(`  ${formatRange(base, bytes)} ${formatFlags(flags)}`);
    }
    if (subject !== undefined) return 0;
    const spareBytes = os.memory.mm.freeBytes();
    screen.printLine(`${spareBytes} bytes (${formatBytes(spareBytes)}) are ready for alloc`);
    for (const block of session.blocks.all()) screen.printLine(describeBlock(block));
    return 0;
  },
};

/** The memory of another core. */
function* memoryOf(shell: Shell, core: number): Wait<CoreStatus> {
  const question = shell.os.system.coreStatus({ core });
  const { status } = yield* askCore(shell, core, question);
  return status;
}

function showUse({ screen }: Shell, whom: string, usedBytes: number, quotaBytes: number): void {
  const size = formatBytes(usedBytes);
  screen.printLine(`${whom} uses ${usedBytes} of at most ${quotaBytes} bytes (${size})`);
}
