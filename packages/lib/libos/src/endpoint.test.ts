/** Endpoints: the ring of words between kernel and dispatcher. */

import { asPaddr, asPtr } from '@barreleye/core';
import {
  archX86_64,
  DISPATCHER_SHARED_BYTES,
  endpointBufferBytes,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpHeader,
} from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capref, type Slot } from './capref.ts';
import { Endpoint } from './endpoint.ts';
import { Events } from './events.ts';
import { HandCpu } from './hand-cpu.ts';
import { Scheduler } from './scheduler.ts';

const FRAME = archX86_64.dispatcherBase;
const OFFSET = DISPATCHER_SHARED_BYTES;

/** An endpoint and the kernel's side of it: puts messages whole into the ring, or not at all. */
class Wire {
  readonly cpu = new HandCpu(archX86_64);
  readonly endpoint: Endpoint;
  private readonly buffer = asPtr<'LmpEndpoint'>(FRAME + OFFSET);

  constructor(ringWords: number) {
    this.cpu.hold();
    LmpEndpoint.delivered.set(this.cpu.mem, this.buffer, 0xdead); // left over from earlier use
    this.endpoint = new Endpoint(
      new Events(new Scheduler(this.cpu)),
      this.cpu,
      FRAME,
      OFFSET,
      ringWords,
    );
  }

  /** Where the kernel would put a capability: address of the CSpace, address in it. */
  receiveSlot(): number[] {
    const { mem } = this.cpu;
    const { recvCspace, recvSlot } = LmpEndpoint;
    return [recvCspace.get(mem, this.buffer), recvSlot.get(mem, this.buffer)];
  }

  /** False: no room. One word always stays free. */
  send(words: readonly number[], hasCap = false): boolean {
    const { ringWords } = this.endpoint;
    const { mem } = this.cpu;
    let at = LmpEndpoint.delivered.get(mem, this.buffer);
    const consumed = LmpEndpoint.consumed.get(mem, this.buffer);
    const used = (at - consumed + ringWords) % ringWords;
    if (ringWords - used <= words.length + 1) return false;
    const header = (words.length << LmpHeader.LengthShift) | (hasCap ? LmpHeader.CapBit : 0);
    for (const word of [header, ...words]) {
      const place = FRAME + OFFSET + LmpEndpoint.$bytes + at * LMP_RING_WORD_BYTES;
      mem.store32(asPaddr(place), word);
      at = (at + 1) % ringWords;
    }
    LmpEndpoint.delivered.set(mem, this.buffer, at);
    return true;
  }
}

describe('an endpoint', () => {
  it('is empty at first, whatever was in its memory', () => {
    const { endpoint } = new Wire(8);
    expect(endpoint.hasMessage()).toBe(false);
    expect(endpoint.tryReceive()).toBeUndefined();
  });

  it('hands out a message once, words and capability bit', () => {
    const wire = new Wire(8);
    const slot: Slot = capref(8, 5);
    wire.endpoint.arm(slot);
    wire.send([1, 0xffff_ffff, 3], true);
    expect(wire.endpoint.hasMessage()).toBe(true);
    expect(wire.endpoint.tryReceive()).toEqual({ words: [1, 0xffff_ffff, 3], cap: slot });
    expect(wire.endpoint.tryReceive()).toBeUndefined();
    wire.send([]);
    expect(wire.endpoint.tryReceive()).toEqual({ words: [], cap: undefined });
  });

  it('has a slot for a capability while it is armed, and disarms itself', () => {
    const wire = new Wire(8);
    const { endpoint } = wire;
    expect([endpoint.isArmed, wire.receiveSlot()]).toEqual([false, [0, 0]]);
    const slot: Slot = capref(8, 5);
    endpoint.arm(slot);
    expect([endpoint.isArmed, wire.receiveSlot()]).toEqual([true, [slot.croot, slot.cptr]]);
    wire.send([1]);
    endpoint.tryReceive();
    expect([endpoint.isArmed, endpoint.receivedSlot]).toEqual([true, undefined]);
    wire.send([2], true);
    endpoint.tryReceive();
    expect([endpoint.isArmed, endpoint.receivedSlot]).toEqual([false, slot]);
    expect(wire.receiveSlot()).toEqual([0, 0]);
    endpoint.arm(slot);
    expect(endpoint.disarm()).toBe(slot);
    expect([endpoint.disarm(), wire.receiveSlot()]).toEqual([undefined, [0, 0]]);
  });

  it('does not write past what is to take a message', () => {
    const wire = new Wire(8);
    wire.send([1, 2, 3]);
    expect(() => wire.endpoint.tryReceiveInto(new Uint32Array(2))).toThrow('longer than');
  });

  it('makes room for as much as was taken', () => {
    const wire = new Wire(4);
    expect([wire.send([1, 2]), wire.send([])]).toEqual([true, false]);
    wire.endpoint.tryReceive();
    expect(wire.send([3, 4])).toBe(true);
    expect(wire.endpoint.tryReceive()?.words).toEqual([3, 4]);
  });

  it('reads only bits 8 to 15 of a header as the length', () => {
    const wire = new Wire(8);
    wire.send([5]);
    const header = asPaddr(FRAME + OFFSET + LmpEndpoint.$bytes);
    wire.cpu.mem.store32(header, 0xabcd_0100);
    expect(wire.endpoint.tryReceive()?.words).toEqual([5]);
  });

  it('occupies its head and eight bytes a word, and touches nothing behind', () => {
    expect(endpointBufferBytes(16)).toBe(LmpEndpoint.$bytes + 16 * LMP_RING_WORD_BYTES);
    const wire = new Wire(4);
    const behind = asPaddr(FRAME + OFFSET + endpointBufferBytes(4));
    for (let i = 0; i < 9; i++) {
      wire.send([-1, -1]);
      wire.endpoint.tryReceive();
    }
    expect(wire.cpu.mem.isZero(behind, 64)).toBe(true);
  });

  it('keeps order and contents however the ring wraps (seed 14)', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const message = fc.record({ words: fc.array(word, { maxLength: 6 }), hasCap: fc.boolean() });
    const step = fc.oneof(message, message, fc.constant('receive' as const));
    const property = fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.array(step, { maxLength: 80 }),
      (ringWords, steps) => {
        const wire = new Wire(ringWords);
        const inFlight: { words: number[]; hasCap: boolean }[] = [];
        for (const s of [...steps, ...steps.map(() => 'receive' as const)]) {
          if (s === 'receive') expectNext(wire, inFlight.shift());
          else if (wire.send(s.words, s.hasCap)) inFlight.push(s);
          expect(wire.endpoint.hasMessage()).toBe(inFlight.length > 0);
        }
        expect(inFlight).toEqual([]);
      },
    );
    fc.assert(property, { seed: 14, numRuns: 80 });
  });
});

type Message = { readonly words: number[]; readonly hasCap: boolean };

/** What is received next is `sent`; undefined for nothing. */
function expectNext({ endpoint }: Wire, sent: Message | undefined): void {
  const into = new Uint32Array(8).fill(0xdead);
  const slot: Slot = capref(8, 5);
  endpoint.arm(slot);
  const wordCount = endpoint.tryReceiveInto(into);
  expect(wordCount).toBe(sent?.words.length ?? -1);
  if (sent === undefined) return;
  expect([...into.subarray(0, wordCount)]).toEqual(sent.words);
  expect(into.subarray(wordCount).every((word) => word === 0xdead)).toBe(true);
  expect(endpoint.receivedSlot).toBe(sent.hasCap ? slot : undefined);
  expect(endpoint.isArmed).toBe(!sent.hasCap);
}
