/**
 * The server's half of a binding: receives calls and has handlers serve them, those that wait each
 * in a thread of its own. Nothing that a client sends makes it throw; a client that does not keep
 * to the wire format loses its binding.
 */

import { type Errval, isOk, KernelPanic, OK } from '@barreleye/core';
import { OsError, type Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import { ERROR_MESSAGE_BYTES, truncateUtf8 } from './error-text.ts';
import type { FieldType } from './field.ts';
import {
  BIND_ARGS,
  BIND_REPLY,
  ERROR_BODY,
  type Handlers,
  type Interface,
  type Method,
  type Methods,
} from './interface.ts';
import { Reader } from './reader.ts';
import { Receiver, Step } from './receiver.ts';
import { Sender } from './sender.ts';
import { Parking, type Threads } from './threads.ts';
import { type Transport, yieldCore } from './transport.ts';
import { Kind, WIRE_VERSION } from './wire.ts';

/** What a server may decide. */
export interface ServeOptions {
  /**
   * Handlers that may wait at once; further calls are not received until one ends, and those of a
   * client that is gone by then never are. 16.
   */
  readonly maxActive?: number;
  /** Hears of every exception of a handler; of methods that are not answered nobody else does. */
  readonly onHandlerError?: (methodName: string, error: unknown) => void;
  /**
   * Hears, once, that the binding has ended, before the handlers that still wait are waited for:
   * what they wait for may have to be called off.
   */
  readonly onEnd?: () => void;
}

/**
 * Serve the client at the other end of `transport` until the binding ends and every handler has
 * come to its end.
 * @returns OK when a side has closed it; RPC_ERR_PROTOCOL
 */
export function* serve<M extends Methods>(
  threads: Threads,
  transport: Transport,
  provided: Interface<M>,
  handlers: Handlers<M>,
  options: ServeOptions = {},
): Wait<Errval> {
  const byName = handlers as { readonly [name: string]: Handler };
  const table = provided.methodNames.map((name) => byName[name]);
  const binding = new ServerBinding(threads, transport, provided, table, options);
  return yield* binding.run();
}

type Handler = (args: unknown) => unknown;

class ServerBinding {
  private readonly threads: Threads;
  private readonly transport: Transport;
  private readonly provided: Interface;
  private readonly handlers: readonly (Handler | undefined)[];
  private readonly options: ServeOptions;
  private readonly sender: Sender;
  private readonly receiver: Receiver;
  /** Where the receiving thread waits for the transport, and for the end of a handler. */
  private readonly arrival: Parking;
  private readonly handlerEnd: Parking;
  /** Handlers that wait. */
  private activeCount: number;
  private isBound: boolean;

  constructor(
    threads: Threads,
    transport: Transport,
    provided: Interface,
    handlers: readonly (Handler | undefined)[],
    options: ServeOptions,
  ) {
    this.threads = threads;
    this.transport = transport;
    this.provided = provided;
    this.handlers = handlers;
    this.options = options;
    this.sender = new Sender(threads, transport, provided.maxReplyWords);
    this.receiver = new Receiver(transport, new Reader(provided.maxCallWords));
    this.arrival = new Parking(threads, 'a call');
    this.handlerEnd = new Parking(threads, 'the end of a handler');
    this.activeCount = 0;
    this.isBound = false;
  }

  *run(): Wait<Errval> {
    try {
      return yield* this.receiveAll();
    } finally {
      this.transport.close();
      this.options.onEnd?.();
      yield* this.awaitHandlers();
    }
  }

  /** Receive until the binding ends. */
  private *receiveAll(): Wait<Errval> {
    const { transport, receiver, arrival } = this;
    for (;;) {
      switch (receiver.step()) {
        case Step.Nothing:
          arrival.park();
          transport.whenReceivable(arrival);
          yield;
          break;
        case Step.Partial:
          break;
        case Step.Message:
          if (!(yield* this.takeMessage())) return Err.RPC_ERR_PROTOCOL;
          if (!(yield* this.awaitRoom(this.options.maxActive ?? 16))) return OK;
          break;
        case Step.Left:
          yield* yieldCore();
          break;
        case Step.Dead:
          return OK;
        default:
          return Err.RPC_ERR_PROTOCOL;
      }
    }
  }

  /** Wait until fewer than `limit` handlers are active. False: the client is gone before. */
  private *awaitRoom(limit: number): Wait<boolean> {
    const { transport, handlerEnd } = this;
    while (this.activeCount >= limit) {
      if (!transport.hasPeer) return false;
      handlerEnd.park();
      transport.whenPeerGone(handlerEnd);
      yield;
    }
    return true;
  }

  /** Wait until no handler is active. */
  private *awaitHandlers(): Wait<void> {
    while (this.activeCount > 0) {
      this.handlerEnd.park();
      yield;
    }
  }

  /** A whole message. False: none that a client may send. */
  private *takeMessage(): Wait<boolean> {
    const { receiver } = this;
    const { kind, token } = receiver;
    if (kind !== Kind.Bind && kind !== Kind.Call && kind !== Kind.Oneway) {
      receiver.dropCaps();
      return false;
    }
    const err = kind === Kind.Bind ? this.bind() : this.checkMethod();
    if (!isOk(err)) {
      receiver.dropCaps();
      const { name } = this.provided;
      const message = err === Err.RPC_ERR_INTERFACE ? `the server speaks ${name}` : '';
      if (kind !== Kind.Oneway) yield* this.sendError(token, err, message);
      return true;
    }
    if (kind === Kind.Bind) yield* this.sendReply(token, BIND_REPLY, {});
    else yield* this.serveCall();
    return true;
  }

  /** @errors RPC_ERR_MALFORMED, RPC_ERR_INTERFACE */
  private bind(): Errval {
    const { reader } = this.receiver;
    const { version, hashLow, hashHigh, name } = BIND_ARGS.decode(reader);
    if (!reader.isRead()) return Err.RPC_ERR_MALFORMED;
    const { provided } = this;
    const isSame =
      version === WIRE_VERSION &&
      name === provided.name &&
      hashLow === provided.hashLow &&
      hashHigh === provided.hashHigh;
    this.isBound = isSame;
    return isSame ? OK : Err.RPC_ERR_INTERFACE;
  }

  /** @errors RPC_ERR_INTERFACE not bound; RPC_ERR_NO_METHOD, also of the other kind */
  private checkMethod(): Errval {
    const { kind } = this.receiver;
    const method = this.method();
    if (!this.isBound) return Err.RPC_ERR_INTERFACE;
    if (method === undefined) return Err.RPC_ERR_NO_METHOD;
    const isAnswered = method.reply !== undefined;
    return isAnswered === (kind === Kind.Call) ? OK : Err.RPC_ERR_NO_METHOD;
  }

  private method(): Method | undefined {
    const name = this.provided.methodNames[this.receiver.method];
    return name === undefined ? undefined : this.provided.methods[name];
  }

  /** A call of a method that exists. */
  private *serveCall(): Wait<void> {
    const { receiver } = this;
    const { reader, token, method: number } = receiver;
    const method = this.method();
    const handler = this.handlers[number];
    if (method === undefined || handler === undefined) return;
    const args = method.args.decode(reader);
    if (!reader.isRead()) {
      receiver.dropCaps();
      if (method.reply) yield* this.sendError(token, Err.RPC_ERR_MALFORMED, '');
      return;
    }
    try {
      const value = handler(args);
      if (isGenerator(value)) this.startHandler(number, token, method, value);
      else if (method.reply) yield* this.sendReply(token, method.reply, value);
    } catch (error) {
      yield* this.handlerFailed(number, token, method, error);
    }
  }

  private startHandler(
    number: number,
    token: number,
    method: Method,
    handler: Wait<unknown>,
  ): void {
    this.activeCount += 1;
    const name = `${this.provided.name}.${this.provided.methodNames[number]}`;
    this.threads.create(name, this.runHandler(number, token, method, handler));
  }

  /** What the thread of a handler does. */
  private *runHandler(
    number: number,
    token: number,
    method: Method,
    handler: Wait<unknown>,
  ): Wait<void> {
    try {
      const value = yield* handler;
      if (method.reply) yield* this.sendReply(token, method.reply, value);
    } catch (error) {
      yield* this.handlerFailed(number, token, method, error);
    } finally {
      this.activeCount -= 1;
      this.handlerEnd.ready();
    }
  }

  private *handlerFailed(
    number: number,
    token: number,
    method: Method,
    error: unknown,
  ): Wait<void> {
    if (error instanceof KernelPanic) throw error; // the library itself is broken
    this.options.onHandlerError?.(this.provided.methodNames[number] ?? '', error);
    if (method.reply === undefined) return;
    if (error instanceof OsError) yield* this.sendError(token, error.errval, '');
    else yield* this.sendError(token, Err.RPC_ERR_HANDLER, describe(error));
  }

  private *sendReply<R>(token: number, type: FieldType<R>, value: R): Wait<void> {
    const { sender } = this;
    yield* sender.take();
    try {
      type.encode(sender.writer, value);
      const err = yield* sender.send(Kind.Reply, 0, token);
      if (err !== Err.RPC_ERR_ARGUMENT) return;
    } finally {
      sender.release();
    }
    yield* this.sendError(token, Err.RPC_ERR_ARGUMENT, 'in the reply');
  }

  private *sendError(token: number, errval: Errval, message: string): Wait<void> {
    const { sender } = this;
    yield* sender.take();
    try {
      const text = truncateUtf8(message, ERROR_MESSAGE_BYTES);
      ERROR_BODY.encode(sender.writer, { errval, message: text });
      yield* sender.send(Kind.Error, 0, token);
    } finally {
      sender.release();
    }
  }
}

function isGenerator(value: unknown): value is Wait<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
