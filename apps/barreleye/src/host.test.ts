/** Input and output of a machine at its host. */

import { PassThrough, Readable } from 'node:stream';
import { bootSystem, parseMenu } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import type { Machine } from '@barreleye/machine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runMachine, streamOutput } from './host.ts';
import { type InputSource, streamInput, terminalInput, textInput } from './input.ts';

/** Everything that a source has to give, as text. */
async function linesOf(source: InputSource): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await source.next();
    if (line === undefined) return lines;
    lines.push(new TextDecoder().decode(line));
  }
}

const pieces = (...texts: string[]): InputSource =>
  streamInput(Readable.from(texts.map((text) => Buffer.from(text))));

describe('input from a text', () => {
  it('comes line by line, ends included', async () => {
    expect(await linesOf(textInput('mem\n\ncaps\n'))).toEqual(['mem\n', '\n', 'caps\n']);
    expect(await linesOf(textInput(''))).toEqual([]);
  });

  it('ends with a line also if its end is missing', async () => {
    expect(await linesOf(textInput('mem\nexit'))).toEqual(['mem\n', 'exit\n']);
  });

  it('stays at its end', async () => {
    const source = textInput('x\n');
    await source.next();
    expect([await source.next(), await source.next()]).toEqual([undefined, undefined]);
  });
});

describe('input from a stream', () => {
  it('comes a line at a time, however it arrives', async () => {
    expect(await linesOf(pieces('me', 'm\nca', 'ps\nexit\n'))).toEqual([
      'mem\n',
      'caps\n',
      'exit\n',
    ]);
    expect(await linesOf(pieces('a\nb\nc'))).toEqual(['a\n', 'b\n', 'c\n']);
    expect(await linesOf(pieces())).toEqual([]);
    expect(await linesOf(pieces('no end'))).toEqual(['no end\n']);
  });

  it('may be text already', async () => {
    expect(await linesOf(streamInput(Readable.from(['a', '\nb'])))).toEqual(['a\n', 'b\n']);
  });

  it('gives the lines of the whole wherever it is cut, in characters too (seed 62)', async () => {
    const text = fc
      .array(fc.constantFrom('a', 'ü', '🐟', '\n', '\r\n', ' ', ';'), { maxLength: 20 })
      .map((parts) => Buffer.from(parts.join('')));
    const cuts = fc.array(fc.nat(60), { maxLength: 8 });
    const property = fc.asyncProperty(text, cuts, async (bytes, at) => {
      const places = [0, ...at.filter((n) => n < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
      const whole = await linesOf(textInput(bytes.toString()));
      expect(await linesOf(streamInput(Readable.from(chunks)))).toEqual(whole);
    });
    await fc.assert(property, { seed: 62, numRuns: 60 });
  });
});

describe('input from a terminal', () => {
  function create(): { terminal: PassThrough; input: InputSource; quits: { count: number } } {
    const quits = { count: 0 };
    const terminal = new PassThrough();
    const input = terminalInput(terminal as unknown as NodeJS.ReadStream, () => {
      quits.count += 1;
    });
    return { terminal, input, quits };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && String(bytes);

  it('comes as it is typed, to whoever waits for it', async () => {
    const { terminal, input } = create();
    const first = input.next();
    terminal.write('e');
    expect(text(await first)).toBe('e');
    terminal.write('x');
    await turn();
    terminal.write('it');
    await turn();
    expect([text(await input.next()), text(await input.next())]).toEqual(['x', 'it']);
  });

  it('can be had without waiting while the machine is busy', async () => {
    const { terminal, input } = create();
    expect(input.person?.waiting()).toBeUndefined();
    terminal.write('\u0003');
    await turn();
    expect([text(input.person?.waiting()), input.person?.waiting()]).toEqual(['\u0003', undefined]);
  });

  it('can be waited for, but not for ever', async () => {
    const { terminal, input } = create();
    await input.person?.arrival(1); //       nobody types
    const typing = input.person?.arrival(1e9);
    terminal.write('a');
    await typing;
    await input.person?.arrival(1e9); //     it is there already
    expect(text(input.person?.waiting())).toBe('a');
  });

  it('ends with the terminal, after what was typed before', async () => {
    const { terminal, input } = create();
    terminal.end('x');
    expect(text(await input.next())).toBe('x');
    expect([await input.next(), await input.next()]).toEqual([undefined, undefined]);
  });

  it('ends at once with Ctrl-], wherever that comes', async () => {
    const { terminal, quits } = create();
    terminal.write('abc');
    await turn();
    expect(quits.count).toBe(0);
    terminal.write('d\u001d');
    await turn();
    expect(quits.count).toBe(1);
  });
});

describe('output', () => {
  /** What a stream gets of `bytes`. */
  function written(isTTY: boolean, bytes: number[]): number[] {
    const got: number[] = [];
    const stream = { isTTY, write: (chunk: Uint8Array) => got.push(...chunk) };
    streamOutput(stream as unknown as NodeJS.WriteStream)(Uint8Array.from(bytes));
    return got;
  }

  it('goes to a terminal as it is, and elsewhere with the line ends of text files', () => {
    const bytes = [0x61, 0x0d, 0x0a, 0x0d, 0x62];
    expect(written(true, bytes)).toEqual(bytes);
    expect(written(false, bytes)).toEqual([0x61, 0x0a, 0x62]);
  });
});

describe('a machine at its host', () => {
  function boot(): Machine {
    const parsed = parseMenu(targetX86_64.menu, 'menu.lst');
    if (!parsed.ok) throw new Error(parsed.message);
    const booted = bootSystem({
      target: targetX86_64,
      menu: parsed.menu,
      coreCount: 1,
      ramBytes: targetX86_64.board.minRamBytes,
      seed: 1,
    });
    if (!booted.ok) throw new Error(booted.message);
    return booted.system.machine;
  }

  async function run(
    input: InputSource,
  ): Promise<{ exitCode: number | undefined; screen: string }> {
    const shown: Uint8Array[] = [];
    const exitCode = await runMachine(boot(), input, (bytes) => shown.push(bytes));
    return { exitCode, screen: Buffer.concat(shown).toString() };
  }

  it('runs the lines that it is given and reports the exit code', async () => {
    const { exitCode, screen } = await run(textInput('cores\nexit 9\n'));
    expect(exitCode).toBe(9);
    expect(screen).toMatch(/barreleye> cores\r\ncore 0: .*running.*\r\nbarreleye> exit 9\r\n$/);
  });

  it('listens to a person while it sleeps and while it works', async () => {
    const terminal = new PassThrough();
    const input = terminalInput(terminal as unknown as NodeJS.ReadStream, () => undefined);
    const shown: Uint8Array[] = [];
    const end = runMachine(boot(), input, (bytes) => shown.push(bytes));
    for (const line of ['run count 1000000 &', 'ping-pong 200', 'kill %1', 'exit 3']) {
      terminal.write(`${line}\n`);
    }
    expect(await end).toBe(3);
    expect(Buffer.concat(shown).toString()).toContain('[1] count was killed');
  });

  it('has nobody to wait for when the person is gone', async () => {
    const terminal = new PassThrough();
    const input = terminalInput(terminal as unknown as NodeJS.ReadStream, () => undefined);
    terminal.end('run count 1000\n');
    expect(await runMachine(boot(), input, () => undefined)).toBe(0);
  });

  it('shows the same however its input arrives', async () => {
    const whole = await run(textInput('cores\nnonsense\nexit'));
    expect(await run(pieces('co', 'res\nnons', 'ense\n', 'exit'))).toEqual(whole);
  });

  it('turns the system off at the end of the input', async () => {
    const { exitCode } = await run(textInput('cores\n'));
    expect(exitCode).toBe(0);
  });

  it('types on while a program in the background sleeps and wakes', async () => {
    const { exitCode, screen } = await run(textInput('run count 100 &\nkill %1\nexit 5\n'));
    expect(exitCode).toBe(5);
    expect(screen).toContain('[1] count was killed');
  });

  it('goes on after the end of the input for as long as there is something to do', async () => {
    const { exitCode, screen } = await run(textInput('run count 100'));
    expect(exitCode).toBe(0);
    expect(screen).toMatch(/\r\n99\r\n100\r\nbarreleye> \r\n$/);
  });

  it('has nothing left to do when a system sleeps although the input has ended', async () => {
    const machine = boot();
    const sink = (): void => undefined;
    machine.run();
    const { bsp } = machine;
    bsp.handler = {
      onTrap() {
        while (bsp.takeInterrupt() >= 0); // a kernel that hears and does nothing
        bsp.idle();
      },
    };
    expect(await runMachine(machine, textInput('exit\n'), sink)).toBeUndefined();
  });
});
