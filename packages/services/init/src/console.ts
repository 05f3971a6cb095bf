/**
 * The console: lines in, text out, over a serial port. Editing is what a serial line offers:
 * backspace, Ctrl-U (forget the line), Ctrl-C (a new prompt), Ctrl-D (end of input).
 */

import { assert, decodeUtf8, encodeUtf8, isContinuation, isOk } from '@barreleye/core';
import {
  irqAllocate,
  irqConnect,
  type Os,
  type OwnEndpoint,
  TASK_IRQ_TABLE,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { DeviceClass } from '@barreleye/spec';
import type { BootView } from './boot-info.ts';
import { mapDevice } from './devices.ts';
import type { Memory } from './memory.ts';
import { createSerialPort, type SerialPort } from './serial.ts';

/** Words of the endpoint that takes the port's interrupts; each takes one. */
const IRQ_RING_WORDS = 16;
/** Longest line that is kept, bytes; the rest is refused with a bell. */
const LINE_BYTES = 4096;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BELL = 0x07;
const BACKSPACE = 0x08;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/** What one attempt to read a line gave. */
export type LineResult =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'cancelled' } // Ctrl-C, or a line that was too long
  | { readonly kind: 'end' }; // Ctrl-D on an empty line

export class Console {
  private readonly os: Os;
  private readonly port: SerialPort;
  private readonly irq: OwnEndpoint;
  private line: number[];
  /** Bytes of an escape sequence still to be skipped: 0 none, 1 after ESC, 2 inside. */
  private escape: number;
  private lastWasReturn: boolean;
  private isTooLong: boolean;

  constructor(os: Os, port: SerialPort, irq: OwnEndpoint) {
    this.os = os;
    this.port = port;
    this.irq = irq;
    this.line = [];
    this.escape = 0;
    this.lastWasReturn = false;
    this.isTooLong = false;
  }

  /** Show text; `\n` begins a new line. */
  print(text: string): void {
    for (const byte of encodeUtf8(text)) {
      if (byte === 0x0a) this.port.send(0x0d);
      this.port.send(byte);
    }
  }

  /** Show a line. */
  printLine(text: string): void {
    this.print(`${text}\n`);
  }

  /** Show `prompt` and wait for a line. */
  *readLine(prompt: string): Wait<LineResult> {
    this.print(prompt);
    this.line = [];
    this.isTooLong = false;
    for (;;) {
      const byte = this.port.receive();
      if (byte < 0) {
        yield* this.os.receive(this.irq.buffer);
        continue;
      }
      const result = this.accept(byte);
      if (result !== undefined) return result;
      yield* this.os.preempt(); // a port may have bytes without end
    }
  }

  /** Take one byte; a result when it ends the line. */
  private accept(byte: number): LineResult | undefined {
    const followsReturn = this.lastWasReturn;
    this.lastWasReturn = byte === 0x0d;
    if (this.skipsEscape(byte)) return undefined;
    if (byte === 0x0a && followsReturn) return undefined;
    switch (byte) {
      case 0x0a:
      case 0x0d:
        this.print('\n');
        return this.endLine();
      case CTRL_C:
        this.print('^C\n');
        return { kind: 'cancelled' };
      case CTRL_D:
        if (this.line.length > 0) return undefined;
        this.print('\n');
        return { kind: 'end' };
      case BACKSPACE:
      case DELETE:
        this.erase();
        return undefined;
      case CTRL_U:
        while (this.line.length > 0) this.erase();
        return undefined;
      default:
        this.insert(byte === 0x09 ? 0x20 : byte);
        return undefined;
    }
  }

  /** The line that was typed; one that lost its end is not run. */
  private endLine(): LineResult {
    if (!this.isTooLong) return { kind: 'line', text: decodeUtf8(this.line) };
    this.printLine(`a line has at most ${LINE_BYTES} bytes; this one was not run`);
    return { kind: 'cancelled' };
  }

  /** Cursor keys and the like send ESC [ ... letter: there is nothing here to move to. */
  private skipsEscape(byte: number): boolean {
    if (byte === ESCAPE) {
      this.escape = 1;
      return true;
    }
    if (this.escape === 0) return false;
    if (byte < 0x20) {
      this.escape = 0; // no part of a sequence: Return or Ctrl-C behind a lone Escape
      return false;
    }
    const isIntroducer = this.escape === 1 && (byte === 0x5b || byte === 0x4f);
    const isParameter = this.escape === 2 && byte >= 0x20 && byte < 0x40;
    this.escape = isIntroducer || isParameter ? 2 : 0;
    return true;
  }

  private insert(byte: number): void {
    if (byte < 0x20) return;
    if (this.line.length >= LINE_BYTES) {
      this.isTooLong = true;
      this.port.send(BELL);
      return;
    }
    this.line.push(byte);
    this.port.send(byte);
  }

  /** Forget the last character, which may be several bytes. */
  private erase(): void {
    let byte = this.line.pop();
    if (byte === undefined) return;
    this.isTooLong = false; // who edits has heard the bell
    while (byte !== undefined && isContinuation(byte)) byte = this.line.pop();
    this.print('\b \b');
  }
}

/** Find the serial port, map it, and have its interrupts delivered. */
export function createConsole(os: Os, boot: BootView, memory: Memory): Console {
  const { sys } = os;
  const classes = [DeviceClass.Uart16550, DeviceClass.UartPl011];
  const { region, base } = mapDevice(os, boot, memory, classes);
  const port = createSerialPort(sys.cpu, region.device, base);
  const irq = os.createEndpoint(IRQ_RING_WORDS);
  const line = unwrap(irqAllocate(sys, os.allocSlot(), TASK_IRQ_TABLE, region.irq));
  const err = irqConnect(sys, line, irq.cap);
  assert(isOk(err), 'the interrupt of the serial port cannot be connected');
  port.enableInterrupt();
  return new Console(os, port, irq);
}
