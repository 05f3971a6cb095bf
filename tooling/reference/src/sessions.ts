/**
 * Pages of prose around what a system really shows. A block that begins with "```text TARGET" is a
 * session at the prompt of that target, with "```text TARGET with 4 cores" of one with so many;
 * blocks with the same first line go on with the same session. What
 * stands behind the prompts is typed; everything else in the block is what the screen shows then.
 */

import { bootTarget, type Target, Typist } from '@barreleye/boot';
import { targetArmv7 } from '@barreleye/boot-armv7';
import { targetX86_32 } from '@barreleye/boot-x86-32';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { assert, decodeUtf8, encodeUtf8 } from '@barreleye/core';

const TARGETS: ReadonlyMap<string, Target> = new Map(
  [targetX86_64, targetX86_32, targetArmv7].map((target) => [target.name, target]),
);

const PROMPT = 'barreleye> ';
const CARRIAGE_RETURN = 0x0d;

/** A session in the page: what is in front of its text, its name, its text. */
const BLOCK = /(?<=^```text (\w+(?: with \d+ cores)?)\n)[\s\S]*?(?=^```$)/gm;

/** The page with fresh sessions. */
export function renderSessions(page: string): string {
  const sessions = new Map<string, Session>();
  const blocks = [...page.matchAll(BLOCK)].map(([text, name = '']) => ({ text, name }));
  for (const { text, name } of blocks) {
    const session = sessions.get(name) ?? new Session(name);
    sessions.set(name, session);
    session.typeBlock(text);
  }
  for (const session of sessions.values()) session.end();
  return page.replace(BLOCK, (_, name: string) => sessions.get(name)?.takeBlock() ?? '');
}

/** A system at whose prompt blocks of lines are typed, one after the other. */
class Session {
  private readonly typist: Typist;
  private readonly shown: number[];
  /** Where in what was shown each block but the first begins. */
  private readonly starts: number[];
  private blocks: string[];

  constructor(name: string) {
    const [targetName = '', , coreCount = '1'] = name.split(' ');
    const target = TARGETS.get(targetName);
    assert(target !== undefined, `there is a block for ${targetName}, which is no target`);
    const { defaultRamBytes: ramBytes } = target.board;
    const booted = bootTarget(target, { ramBytes, coreCount: Number(coreCount) });
    assert(booted.ok, 'targets can be booted');
    const { machine } = booted.system;
    this.shown = [];
    this.starts = [];
    this.blocks = [];
    this.typist = new Typist(machine);
    machine.console.transmit = (byte) => {
      if (byte !== CARRIAGE_RETURN) this.shown.push(byte);
    };
  }

  /** Type what is behind the prompts of a block. */
  typeBlock(text: string): void {
    const rows = text.split('\n').filter((row) => row.startsWith(PROMPT) && row !== PROMPT);
    for (const [i, row] of rows.entries()) {
      const { kind } = this.typist.run();
      assert(kind !== 'off', `nobody is there any more to type to: ${row}`);
      if (i === 0) this.starts.push(this.shown.lastIndexOf(0x0a) + 1);
      this.typist.type(encodeUtf8(`${row.slice(PROMPT.length)}\n`));
    }
  }

  /** Let the system come to its end, and cut what it has shown into blocks. */
  end(): void {
    const { kind } = this.typist.run();
    assert(kind === 'off', 'the last line turns the machine off');
    const bounds = [0, ...this.starts.slice(1), this.shown.length];
    this.blocks = bounds.slice(1).map((end, i) => decodeUtf8(this.shown.slice(bounds[i], end)));
  }

  /** The next block, fresh. */
  takeBlock(): string {
    const block = this.blocks.shift();
    assert(block !== undefined, 'every block of the page has lines to type');
    return block;
  }
}
