/** `alloc` and `free`: RAM, a frame of it, a mapping; and back. */

import { capDelete, capRetype, unwrap, type Wait } from '@barreleye/libos';
import { PageFlag } from '@barreleye/spec';
import { type Block, describeBlock } from '../blocks.ts';
import { type Command, UsageError } from '../command.ts';
import { parseNumber } from '../numbers.ts';
import type { Shell } from '../shell.ts';

export const alloc: Command = {
  name: 'alloc',
  usage: '<bytes>',
  group: 'Memory of this shell',
  summary: 'allocate memory, map it and show where',
  details: ["A number is decimal or 0x..., with k, m or g behind it. 'free' gives it back."],
  example: 'alloc 64k',
  argCount: [1, 1],
  argKinds: ['nothing'],
  *run(shell, [text = '']) {
    const { os, screen, session } = shell;
    const bytes = parseNumber(text);
    if (bytes === 0) throw new UsageError('cannot allocate 0 bytes');
    const { totalBytes } = yield* os.system.memory({});
    if (bytes > totalBytes) throw new UsageError(`there are only ${totalBytes} bytes of RAM`);
    yield* os.memory.reserve(bytes);
    const block = yield* allocate(shell, bytes);
    session.blocks.add(block);
    screen.printLine(describeBlock(block));
    return 0;
  },
};

export const free: Command = {
  name: 'free',
  usage: '<name>',
  group: 'Memory of this shell',
  summary: 'give memory of alloc back',
  details: [],
  example: 'free m1',
  argCount: [1, 1],
  argKinds: ['block', 'nothing'],
  *run({ os, screen, session: { blocks } }, [name = '']) {
    const block = blocks.get(name);
    if (block === undefined) {
      const known = blocks.names().join(', ') || "nothing; 'alloc 8192' makes something";
      throw new UsageError(`no memory is called '${name}' (there is ${known})`);
    }
    block.release();
    blocks.delete(block);
    screen.printLine(`${name} is free again`);
    yield* os.preempt();
    return 0;
  },
};

/** RAM from the manager, a Frame of it, a mapping; undone as far as it got when a step fails. */
function* allocate({ os, session }: Shell, wanted: number): Wait<Block> {
  const { mm, vspace } = os.memory;
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
    const name = session.blocks.freeName;
    const flags = PageFlag.Read | PageFlag.Write;
    const region = unwrap(vspace.map({ frame, bytes, flags, name }));
    undo.push(() => os.check(vspace.unmap(region.base)));
    return { name, bytes, base: ram.base, va: region.base, release };
  } catch (error) {
    release();
    throw error;
  }
}
