/**
 * Somebody at a serial line: a console over a real dispatcher, whose processor, kernel and port are
 * driven by hand. What is typed arrives in pieces, each with an interrupt; the screen shows what a
 * terminal makes of the answer.
 */

import { asPaddr, asPtr, encodeUtf8, OK } from '@barreleye/core';
import { type Os, program, type Wait } from '@barreleye/libos';
import { HandCpu } from '@barreleye/libos/testing';
import {
  archX86_64,
  DispatcherFrame,
  Gate,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  type ProgramInstance,
  Syscall,
} from '@barreleye/spec';
import { Console } from '../src/console.ts';
import { Screen } from './screen.ts';

const RING_WORDS = 16;

export class Typist {
  readonly screen = new Screen();
  private readonly cpu = new HandCpu(archX86_64);
  private readonly instance: ProgramInstance;
  private readonly waiting: number[] = [];
  /** Offset of the endpoint that interrupts go to. */
  private irqAt = 0;

  /** @param main what sits at the other end of the line */
  constructor(main: (os: Os, console: Console) => Wait<unknown>) {
    const typist = this;
    const made = program('typist', function* (os) {
      const irq = os.createEndpoint(RING_WORDS);
      typist.irqAt = irq.buffer.offset;
      const port = {
        receive: () => typist.waiting.shift() ?? -1,
        send: (byte: number) => typist.screen.show(byte),
        enableInterrupt: () => undefined,
      };
      yield* main(os, new Console(os, port, irq));
    });
    this.instance = made.create(this.cpu);
    this.cpu.onSyscall = () => {
      if (this.cpu.argWord(0) === Syscall.Yield) this.cpu.leave();
      else this.cpu.answer(OK);
    };
    this.cpu.enter(this.instance, Gate.Start);
  }

  /** Type text, or bytes as they are; all of it arrives at once. */
  type(input: string | readonly number[]): void {
    this.waiting.push(...(typeof input === 'string' ? encodeUtf8(input) : input));
    this.interrupt();
  }

  /** A message without words to the endpoint, as the kernel sends it. */
  private interrupt(): void {
    const { mem, arch } = this.cpu;
    const frame = asPtr<'DispatcherFrame'>(arch.dispatcherBase);
    const endpoint = asPtr<'LmpEndpoint'>(frame + this.irqAt);
    const at = LmpEndpoint.delivered.get(mem, endpoint);
    mem.store32(asPaddr(endpoint + LmpEndpoint.$bytes + at * LMP_RING_WORD_BYTES), 0);
    LmpEndpoint.delivered.set(mem, endpoint, (at + 1) % RING_WORDS);
    const delivered = DispatcherFrame.lmpDelivered.get(mem, frame);
    DispatcherFrame.lmpDelivered.set(mem, frame, delivered + 1);
    DispatcherFrame.disabled.set(mem, frame, 1);
    this.cpu.enter(this.instance, Gate.Run);
  }
}
