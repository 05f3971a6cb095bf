/** The console of a machine, between its serial port and the main thread. */

import type { Console } from '@barreleye/machine';
import type { InputRing } from './input-ring.ts';
import type { MainThread } from './threads.ts';

/** Bytes that are shown at once at most. */
const MAX_SHOWN = 4096;

export class ConsoleLine {
  private readonly input: InputRing;
  private readonly main: MainThread;
  private readonly receive: (byte: number) => void;
  private shown: number[];

  constructor(console: Console, input: InputRing, main: MainThread) {
    this.input = input;
    this.main = main;
    this.receive = (byte) => console.receive(byte);
    this.shown = [];
    console.transmit = (byte) => {
      this.shown.push(byte);
      if (this.shown.length === MAX_SHOWN) this.flush();
    };
  }

  /** Whether something was typed that the serial port does not have yet. */
  get hasInput(): boolean {
    return !this.input.isEmpty;
  }

  /** Give the serial port what was typed, and the main thread what is shown. */
  pump(): void {
    if (this.hasInput && this.input.takeAll(this.receive)) this.main.post({ kind: 'room' });
    this.flush();
  }

  flush(): void {
    if (this.shown.length === 0) return;
    this.main.post({ kind: 'output', bytes: Uint8Array.from(this.shown) });
    this.shown = [];
  }
}
