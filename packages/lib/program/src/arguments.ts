/** What a program has been told by whoever started it: its arguments page. */

import { assert, decodeUtf8 } from '@barreleye/core';
import { ARGS_PAGE_MAGIC, ArgsPage, type UserCpu } from '@barreleye/spec';

export interface Arguments {
  /** The first is the name of the program. */
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** Read the arguments page that is mapped at `at`. */
export function readArguments(cpu: UserCpu, at: number): Arguments {
  assert(cpu.load32(at + ArgsPage.magic.offset) === ARGS_PAGE_MAGIC, 'no arguments page there');
  const argCount = cpu.load32(at + ArgsPage.argCount.offset);
  const environmentCount = cpu.load32(at + ArgsPage.environmentCount.offset);
  const strings: string[] = [];
  let next = at + ArgsPage.$bytes;
  while (strings.length < argCount + environmentCount) {
    const byteCount = cpu.load32(next);
    const bytes = new Uint8Array(byteCount);
    for (let i = 0; i < byteCount; i++) bytes[i] = cpu.load8(next + 4 + i);
    strings.push(decodeUtf8(bytes));
    next += 4 + Math.ceil(byteCount / 4) * 4;
  }
  const environment = new Map<string, string>();
  for (const text of strings.splice(argCount)) {
    const at = text.indexOf('=');
    if (at > 0) environment.set(text.slice(0, at), text.slice(at + 1));
  }
  return { args: strings, environment };
}
