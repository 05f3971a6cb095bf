/**
 * Two domains on a booted machine that send each other LMP messages and do nothing else: programs
 * without a library, so that what is measured is the kernel and the machine below it.
 */
import type { System } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import type { Kernel } from '@barreleye/cpu-driver';
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
export const ENDPOINT = capAddrOf(RootSlot.SlotAlloc1, 0);
/** More than one turn of the host. */
const TURN_CYCLES = 100_000;
const RAM_BYTES = 32 * 2 ** 20;

/** What is told of while messages go round. */
export interface Watcher {
  /** `ping` is about to send the message that takes the core along. */
  readonly onSend?: () => void;
  /** `pong` has read it. */
  readonly onReceive?: () => void;
  /** `ping` has read the answer. */
  readonly onReply?: () => void;
}

/** Round trips that are wanted. */
interface Order {
  roundTrips: number;
  watcher: Watcher;
}

export class MessagePair {
  private readonly system: System;
  private readonly order: Order;
  private driver: Kernel | undefined;

  /** @param batch messages of `ping` for one of `pong`; the last of them brings the core along */
  constructor(batch: number, words = MESSAGE_WORDS) {
    this.order = { roundTrips: 0, watcher: {} };
    this.system = bootPair(this.order, { batch, words }, (kernel) => {
      this.driver = kernel;
    });
    // The builder gets ready, and both wait.
    this.system.machine.run(50 * TURN_CYCLES);
    this.fail();
  }

  /** Let `count` messages, or batches, of `ping` be answered. */
  run(count: number, watcher: Watcher = {}): void {
    const { order, system } = this;
    order.roundTrips = count;
    order.watcher = watcher;
    while (order.roundTrips > 0) system.machine.run(TURN_CYCLES);
    this.fail();
  }

  /** The CPU driver below both. */
  get kernel(): Kernel {
    if (this.driver === undefined) throw new Error('the machine has not booted');
    return this.driver;
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
  private readonly words: number;
  sum: number;

  constructor(cpu: UserCpu, words: number) {
    this.cpu = cpu;
    this.words = words;
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
    const { cpu, words } = this;
    const { argWords } = cpu.arch;
    cpu.regs[argWords[0] ?? 0] = Syscall.Invoke;
    cpu.regs[argWords[1] ?? 0] = invokeHeader(0, 2, flags, words);
    cpu.regs[argWords[2] ?? 0] = ENDPOINT;
    cpu.regs[argWords[3] ?? 0] = 0;
    for (let i = 0; i < words; i++) cpu.regs[argWords[4 + i] ?? 0] = i;
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
function rawProgram(name: string, words: number, work: (side: Side) => void): Program {
  return {
    name,
    create(cpu) {
      const side = new Side(cpu, words);
      return {
        enter() {
          work(side);
        },
      };
    },
  };
}

function bootPair(
  order: Order,
  { batch, words }: { readonly batch: number; readonly words: number },
  onBoot: (kernel: Kernel) => void,
): System {
  const ping = rawProgram('ping', words, (side) => {
    if (side.drain()) {
      order.roundTrips -= 1;
      order.watcher.onReply?.();
    }
    if (order.roundTrips <= 0) {
      side.wait();
      return;
    }
    for (let i = 1; i < batch; i++) {
      if (!side.send(0)) throw new Error('a message took the core along');
    }
    order.watcher.onSend?.();
    if (side.send(LmpFlag.Sync)) throw new Error('the message did not take the core along');
  });
  const pong = rawProgram('pong', words, (side) => {
    if (!side.drain()) {
      side.wait();
      return;
    }
    order.watcher.onReceive?.();
    if (side.send(LmpFlag.Sync)) throw new Error('the answer did not take the core along');
  });
  const builder = program('builder', build);
  return bootPrograms([builder, ping, pong], RAM_BYTES, {
    wrapDriver(driver) {
      onBoot(driver.kernel);
      return driver;
    },
  });
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
