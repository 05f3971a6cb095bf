/**
 * The client's half of a binding. Any number of threads call at once. A thread that waits for its
 * reply receives for all of them, if no other does already; when it has its own, it passes that on.
 */

import { asErrval, type Errval, errPush, isOk, OK } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import { Attempt } from './attempt.ts';
import type { FieldType } from './field.ts';
import {
  BIND_ARGS,
  BIND_REPLY,
  type Client,
  ERROR_BODY,
  type Interface,
  type Method,
  type Methods,
} from './interface.ts';
import { MAX_PENDING_CALLS, type PendingCall, PendingCalls } from './pending-calls.ts';
import { Reader } from './reader.ts';
import { Receiver, Step } from './receiver.ts';
import { RpcError } from './rpc-error.ts';
import { Sender } from './sender.ts';
import { Parking, type Threads, type WaitReason } from './threads.ts';
import { type Transport, yieldCore } from './transport.ts';
import { Kind, WIRE_VERSION } from './wire.ts';

const REPLY: WaitReason = { label: 'a reply', holder: undefined };

/** What a client may decide. */
export interface BindOptions {
  /**
   * Cycles after which a call, the bind too, throws RPC_ERR_TIMEOUT. Whether it was served, nobody
   * knows; what it gives away is gone. Calls wait for as long as it takes, unless said otherwise.
   */
  readonly timeoutCycles?: number | undefined;
}

/**
 * Bind to the server at the other end of `transport`: its methods, as generators. They throw
 * `RpcError`. The binding ends when the transport is closed, by either side.
 * @errors RPC_ERR_INTERFACE under RPC_ERR_REMOTE: the server speaks another; RPC_ERR_CLOSED;
 *   RPC_ERR_TIMEOUT
 */
export function* bindClient<M extends Methods>(
  threads: Threads,
  transport: Transport,
  to: Interface<M>,
  options: BindOptions = {},
): Wait<Client<M>> {
  const binding = new ClientBinding(threads, transport, to, options);
  const { name, hashLow, hashHigh } = to;
  const args = { version: WIRE_VERSION, hashLow, hashHigh, name };
  yield* binding.inTime((attempt) =>
    binding.call(Kind.Bind, 0, BIND_ARGS, args, BIND_REPLY, attempt),
  );
  const stubs: { [name: string]: (args: unknown) => Wait<unknown> } = {};
  for (const [number, key] of to.methodNames.entries()) {
    const method: Method | undefined = to.methods[key];
    if (method === undefined) continue;
    const { args: type, reply } = method;
    stubs[key] = (values) =>
      binding.inTime((attempt) =>
        reply === undefined
          ? binding.notify(number, type, values, attempt)
          : binding.call(Kind.Call, number, type, values, reply, attempt),
      );
  }
  return stubs as Client<M>;
}

class ClientBinding {
  private readonly threads: Threads;
  private readonly transport: Transport;
  private readonly sender: Sender;
  private readonly receiver: Receiver;
  private readonly calls: PendingCalls;
  /** Where the thread that receives waits for the transport. */
  private readonly arrival: Parking;
  private isReceiving: boolean;
  /** Why the binding has ended, OK while it has not. */
  private end: Errval;
  private readonly timeoutCycles: number | undefined;
  /** Calls with a deadline that are under way, also those that were given up. */
  private attemptCount: number;

  constructor(
    threads: Threads,
    transport: Transport,
    to: Interface,
    { timeoutCycles }: BindOptions,
  ) {
    this.threads = threads;
    this.transport = transport;
    this.sender = new Sender(threads, transport, to.maxCallWords);
    this.receiver = new Receiver(transport, new Reader(to.maxReplyWords));
    this.calls = new PendingCalls();
    this.arrival = new Parking(threads, REPLY.label);
    this.isReceiving = false;
    this.end = OK;
    this.timeoutCycles = timeoutCycles;
    this.attemptCount = 0;
    transport.whenPeerGone({ ready: () => this.peerIsGone() });
  }

  /** Do `step`, and wait for no longer than the binding allows. */
  inTime<R>(step: (attempt: Attempt | undefined) => Wait<R>): Wait<R> {
    const { timeoutCycles } = this;
    return timeoutCycles === undefined ? step(undefined) : this.tryFor(timeoutCycles, step);
  }

  private *tryFor<R>(cycles: number, step: (attempt: Attempt) => Wait<R>): Wait<R> {
    if (this.attemptCount === MAX_PENDING_CALLS) throw new RpcError(Err.RPC_ERR_TOO_MANY_CALLS);
    const { sender, threads } = this;
    const attempt = new Attempt(threads);
    this.attemptCount += 1;
    try {
      return yield* attempt.run(this.counted(step(attempt)), cycles);
    } finally {
      if (attempt.isAbandoned && sender.holder === attempt.thread) sender.withdraw();
    }
  }

  /** The thread of a call, to its end. */
  private *counted<R>(step: Wait<R>): Wait<R> {
    try {
      return yield* step;
    } finally {
      this.attemptCount -= 1;
    }
  }

  /** Send a message that is not answered. */
  *notify<A>(number: number, type: FieldType<A>, args: A, attempt?: Attempt): Wait<void> {
    check(yield* this.send(Kind.Oneway, number, 0, type, args, attempt));
  }

  /** Send a message, and wait for what it is answered with. */
  *call<A, R>(
    kind: number,
    number: number,
    type: FieldType<A>,
    args: A,
    reply: FieldType<R>,
    attempt?: Attempt,
  ): Wait<R> {
    const call = this.calls.add(reply, attempt);
    if (call === undefined) throw new RpcError(Err.RPC_ERR_TOO_MANY_CALLS);
    if (attempt !== undefined) attempt.call = call;
    try {
      check(yield* this.send(kind, number, call.token, type, args, attempt));
      yield* this.awaitReply(call);
      if (!isOk(call.err)) throw new RpcError(call.err, call.message);
      return call.value as R;
    } finally {
      this.calls.remove(call);
    }
  }

  private *send<A>(
    kind: number,
    number: number,
    token: number,
    type: FieldType<A>,
    args: A,
    attempt: Attempt | undefined,
  ): Wait<Errval> {
    const { sender } = this;
    yield* sender.take();
    try {
      if (attempt?.isAbandoned === true) {
        // Capabilities that it names may be others by now; what it gives away is still its own.
        type.encode(sender.writer, args);
        sender.dropGifts();
        return Err.RPC_ERR_TIMEOUT;
      }
      if (!isOk(this.end)) return this.end;
      type.encode(sender.writer, args);
      return yield* sender.send(kind, number, token);
    } finally {
      sender.release();
    }
  }

  private *awaitReply(call: PendingCall): Wait<void> {
    while (!call.isDone) {
      if (this.isReceiving) {
        call.thread = this.threads.running;
        this.threads.block(REPLY);
        yield;
        continue;
      }
      this.isReceiving = true;
      try {
        yield* this.receiveUntil(call);
        // It may have gone while this thread received, right behind its last reply.
        if (!this.transport.hasPeer) yield* this.receiveRest();
      } finally {
        this.isReceiving = false;
        this.wake(this.calls.anyWaiting());
      }
    }
  }

  /** Receive for everybody until `call` is done. */
  private *receiveUntil(call: PendingCall): Wait<void> {
    while (!call.isDone) {
      switch (this.receiver.step()) {
        case Step.Nothing:
          this.arrival.park();
          this.transport.whenReceivable(this.arrival);
          yield;
          break;
        case Step.Partial:
          break;
        case Step.Message:
          this.takeMessage();
          break;
        case Step.Left:
          yield* yieldCore();
          break;
        case Step.Dead:
          this.endAll(Err.RPC_ERR_CLOSED);
          break;
        default:
          this.endAll(Err.RPC_ERR_PROTOCOL);
      }
    }
  }

  /** Receive what the other side has left, and find out that nothing follows. */
  private *receiveRest(): Wait<void> {
    while (isOk(this.end)) {
      switch (this.receiver.step()) {
        case Step.Partial:
          break;
        case Step.Message:
          this.takeMessage();
          break;
        case Step.Left:
          yield* yieldCore();
          break;
        case Step.Nothing:
          return;
        default:
          this.endAll(Err.RPC_ERR_CLOSED);
      }
    }
  }

  /** The other side is gone. Whoever receives finds out; if nobody does, nobody else would. */
  private peerIsGone(): void {
    if (this.isReceiving) return;
    while (isOk(this.end)) {
      switch (this.receiver.step()) {
        case Step.Partial:
          break;
        case Step.Message:
          this.takeMessage();
          break;
        case Step.Nothing:
        case Step.Left:
          this.wake(this.calls.anyWaiting()); // whoever was to receive next may have its reply now
          return;
        default:
          this.endAll(Err.RPC_ERR_CLOSED);
      }
    }
  }

  /** A whole message: the reply to a call, to one that is no longer wanted, or nonsense. */
  private takeMessage(): void {
    const { receiver, calls } = this;
    const { kind, reader } = receiver;
    if (kind !== Kind.Reply && kind !== Kind.Error) {
      receiver.dropCaps();
      this.endAll(Err.RPC_ERR_PROTOCOL);
      return;
    }
    const call = calls.find(receiver.token);
    if (call === undefined) {
      receiver.dropCaps();
      return;
    }
    call.isDone = true;
    if (call.attempt?.isAbandoned === true) {
      receiver.dropCaps();
      this.wake(call);
      return;
    }
    if (kind === Kind.Reply) {
      call.value = call.reply.decode(reader);
    } else {
      const { errval, message } = ERROR_BODY.decode(reader);
      call.err = errPush(asErrval(errval), Err.RPC_ERR_REMOTE);
      call.message = message;
    }
    if (!reader.isRead()) {
      call.err = Err.RPC_ERR_MALFORMED;
      call.message = '';
      receiver.dropCaps();
    }
    this.wake(call);
  }

  /** End the binding and every call. */
  private endAll(err: Errval): void {
    this.end = err;
    this.transport.close();
    for (const call of this.calls.all()) {
      call.isDone = true;
      call.err = err;
      this.wake(call);
    }
  }

  private wake(call: PendingCall | undefined): void {
    const thread = call?.thread;
    if (call === undefined || thread === undefined) return;
    call.thread = undefined;
    this.threads.wake(thread);
  }
}

function check(err: Errval): void {
  if (!isOk(err)) throw new RpcError(err);
}
