/**
 * Two domains on a booted machine that send each other LMP messages and do nothing else: programs
 * without a library, so that what is measured is the kernel and the machine below it.
 */
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { createMemory, readBootInfo } from '@barreleye/init';
import {
  type Capref,
  capCopy,
  capMintEndpoint,
  capRetype,
  capref,
  type Os,
  program,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { type SpawnedDomain, type Spawner, spawnProgram } from '@barreleye/spawn';
import {
  capAddrOf,
  invokeHeader,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpFlag,
  LmpHeader,
  type Program,
  RootSlot,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import { bootPrograms } from './boot-programs.ts';

/** Payload words of each message. */
export const MESSAGE_WORDS = 4;

/** The endpoint buffer in both frames, and the words of its ring. */
const BUFFER = 0x2000;
const RING_WORDS = 1024;
/** Where both have the endpoint of the other. */
const ENDPOINT = capAddrOf(RootSlot.SlotAlloc1, 0);
/** More than one turn of the host. */
const TURN_CYCLES = 100_000;
const RAM_BYTES = 32 * 2 ** 20;

/** Round trips that are wanted, and what is done after each. */
interface Order {
  roundTrips: number;
  onReply: () => void;
}

export class MessagePair {
  private readonly system: System;
  private readonly order: Order;

  /** @param batch messages of `ping` for one of `pong`; the last of them brings the core along */
  constructor(batch: number) {
    this.order = { roundTrips: 0, onReply: () => {} };
    this.system = bootPair(this.order, batch);
    // The builder gets ready, and both wait.
    this.system.machine.run(50 * TURN_CYCLES);
    this.fail();
  }

  /** Let `count` messages, or batches, of `ping` be answered. */
  run(count: number, onReply: () => void = () => {}): void {
    const { order, system } = this;
    order.roundTrips = count;
    order.onReply = onReply;
    while (order.roundTrips > 0) system.machine.run(TURN_CYCLES);
    this.fail();
  }

  private fail(): void {
    const [failure] = this.system.machine.programFailures;
    if (failure !== undefined) throw failure.error;
  }
}

/** One side, as it uses its processor. */
class Side {
  private readonly cpu: UserCpu;
  private readonly head: number;
  sum: number;

  constructor(cpu: UserCpu) {
    this.cpu = cpu;
    this.head = cpu.arch.dispatcherBase + BUFFER;
    this.sum = 0;
  }

  /** Take all messages out of the ring; whether there were any. */
  drain(): boolean {
    const { cpu, head } = this;
    const end = cpu.load32(head + LmpEndpoint.delivered.offset);
    const first = cpu.load32(head + LmpEndpoint.consumed.offset);
    let at = first;
    while (at !== end) {
      const length = cpu.load32(this.wordAt(at)) >>> LmpHeader.LengthShift;
      for (let i = 0; i < length; i++) {
        at = at + 1 === RING_WORDS ? 0 : at + 1;
        this.sum = (this.sum + cpu.load32(this.wordAt(at))) | 0;
      }
      at = at + 1 === RING_WORDS ? 0 : at + 1;
    }
    if (at === first) return false;
    cpu.store32(head + LmpEndpoint.consumed.offset, at);
    return true;
  }

  /** Send a message; false when the core went with it. */
  send(flags: number): boolean {
    const { cpu } = this;
    const { argWords } = cpu.arch;
    cpu.regs[argWords[0] ?? 0] = Syscall.Invoke;
    cpu.regs[argWords[1] ?? 0] = invokeHeader(0, 2, flags, MESSAGE_WORDS);
    cpu.regs[argWords[2] ?? 0] = ENDPOINT;
    cpu.regs[argWords[3] ?? 0] = 0;
    for (let i = 0; i < MESSAGE_WORDS; i++) cpu.regs[argWords[4 + i] ?? 0] = i;
    return cpu.syscall();
  }

  /** Nothing to do until the turn is over. */
  wait(): void {
    do this.cpu.spend(TURN_CYCLES);
    while (this.cpu.poll());
  }

  private wordAt(index: number): number {
    return this.head + LmpEndpoint.$bytes + index * LMP_RING_WORD_BYTES;
  }
}

/** A program that calls `work` whenever it has the core. */
function rawProgram(name: string, work: (side: Side) => void): Program {
  return {
    name,
    create(cpu) {
      const side = new Side(cpu);
      return {
        enter() {
          work(side);
        },
      };
    },
  };
}

function bootPair(order: Order, batch: number): System {
  const ping = rawProgram('ping', (side) => {
    if (side.drain()) {
      order.roundTrips -= 1;
      order.onReply();
    }
    if (order.roundTrips <= 0) {
      side.wait();
      return;
    }
    for (let i = 1; i < batch; i++) {
      if (!side.send(0)) throw new Error('a message took the core along');
    }
    if (side.send(LmpFlag.Sync)) throw new Error('the message did not take the core along');
  });
  const pong = rawProgram('pong', (side) => {
    if (!side.drain()) side.wait();
    else if (side.send(LmpFlag.Sync)) throw new Error('the answer did not take the core along');
  });
  const builder = program('builder', build);
  return bootPrograms([builder, ping, pong], RAM_BYTES);
}

/** Make both domains, and give each an endpoint of the other. */
function* build(os: Os, argPage: number): Wait<void> {
  const { sys } = os;
  const memory = createMemory(os, readBootInfo(sys.cpu, argPage), targetX86_64.paging);
  const { source, vspace } = memory;
  const spawner: Spawner = { sys, source, vspace, paging: targetX86_64.paging };
  const spawn = (name: string, module: number): SpawnedDomain =>
    unwrap(spawnProgram(spawner, { name, image: capref(RootSlot.ModuleCn, module) }));
  const [ping, pong] = [spawn('ping', 1), spawn('pong', 2)];
  connect(os, ping, pong);
  connect(os, pong, ping);
  yield* os.sleep(1);
}

/** Put an endpoint of `to` into the CSpace of `from`. */
function connect({ sys, slots }: Os, from: SpawnedDomain, to: SpawnedDomain): void {
  const range = { offset: 0, objectBytes: 0, count: 1 };
  const newSlot = (): Capref<'Null'> => unwrap(slots.alloc());
  const blank = unwrap(capRetype(sys, newSlot(), to.dispatcher, 'EndPointLMP', range));
  const buffer = { offset: BUFFER, ringWords: RING_WORDS };
  const endpoint = unwrap(capMintEndpoint(sys, newSlot(), blank, buffer));
  const place = capref<'Null'>(RootSlot.SlotAlloc1, 0);
  unwrap(capCopy(sys, { ...place, croot: from.rootCn.cptr }, endpoint));
}
