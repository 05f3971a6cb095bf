/** `mem`, `alloc` and `free`: physical memory and what init has mapped of it. */

import { formatBytes, hex } from '@barreleye/core';
import { capDelete, capRetype, unwrap, type Wait } from '@barreleye/libos';
import { PageFlag } from '@barreleye/spec';
import type { Block } from '../blocks.ts';
import { type Command, parseNumber, type Shell, UsageError } from '../shell.ts';
import { formatFlags } from './vm.ts';

export const mem: Command = {
  name: 'mem',
  usage: '',
  summary: 'show free memory, and what alloc has made',
  argCount: [0, 0],
  // biome-ignore lint/correctness/useYield: a command is a generator whether or not it waits
  *run({ memory, blocks, console }) {
    memory.collect();
    const { mm, vspace } = memory;
    const free = mm.freeBytes();
    console.printLine(`free ${free} of ${mm.totalBytes()} bytes (${formatBytes(free)})`);
    for (const node of mm.nodes()) {
      if (node.state === 'free') console.printLine(`  ${formatRange(node.base, node.bytes)} free`);
    }
    console.printLine(`${vspace.tableCount} page tables, ${vspace.regions().length} regions`);
    for (const region of vspace.regions()) {
      console.printLine(`  ${formatRange(region.base, region.bytes)} ${formatFlags(region.flags)}`);
    }
    for (const block of blocks.all()) console.printLine(describeBlock(block));
  },
};

export const alloc: Command = {
  name: 'alloc',
  usage: '<bytes>',
  summary: 'allocate memory, map it and show where',
  argCount: [1, 1],
  *run(shell, [text = '']) {
    const bytes = parseNumber(text);
    if (bytes === 0) throw new UsageError('cannot allocate 0 bytes');
    const total = shell.memory.mm.totalBytes();
    if (bytes > total) throw new UsageError(`there are only ${total} bytes of RAM`);
    const block = yield* allocate(shell, bytes);
    shell.blocks.add(block);
    shell.console.printLine(describeBlock(block));
  },
};

export const free: Command = {
  name: 'free',
  usage: '<name>',
  summary: 'give memory of alloc back',
  argCount: [1, 1],
  // biome-ignore lint/correctness/useYield: a command is a generator whether or not it waits
  *run({ blocks, console }, [name = '']) {
    const block = blocks.get(name);
    if (block === undefined) {
      const known = blocks.names().join(', ') || "nothing; 'alloc 8192' makes something";
      throw new UsageError(`no memory is called '${name}' (there is ${known})`);
    }
    block.release();
    blocks.delete(block);
    console.printLine(`${name} is free again`);
  },
};

/** RAM from the manager, a Frame of it, a mapping; undone as far as it got when a step fails. */
function* allocate(shell: Shell, wanted: number): Wait<Block> {
  const { os, blocks } = shell;
  const { mm, vspace, collect } = shell.memory;
  collect();
  const ram = yield* os.take(mm.alloc(wanted));
  const undo = [() => os.check(mm.free(ram))];
  const release = (): void => {
    for (const step of undo.reverse()) step();
  };
  try {
    const { bytes } = ram;
    const slot = os.allocSlot();
    undo.push(() => os.check(os.slots.free(slot)));
    const range = { offset: 0, objectBytes: bytes, count: 1 };
    const frame = unwrap(capRetype(os.sys, slot, ram.cap, 'Frame', range));
    undo.push(() => os.check(capDelete(os.sys, frame)));
    const name = blocks.freeName;
    const flags = PageFlag.Read | PageFlag.Write;
    const region = unwrap(vspace.map({ frame, bytes, flags, name }));
    undo.push(() => os.check(vspace.unmap(region.base)));
    return { name, bytes, base: ram.base, va: region.base, release };
  } catch (error) {
    release();
    throw error;
  }
}

function describeBlock({ name, bytes, base, va }: Block): string {
  return `${name}: ${bytes} bytes at physical ${hex(base)}, mapped at ${hex(va)}`;
}

function formatRange(base: number, bytes: number): string {
  return `${hex(base)}-${hex(base + bytes - 1)} ${formatBytes(bytes)}`;
}
