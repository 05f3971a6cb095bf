/**
 * Interfaces: a name and methods, from which the types of clients and servers are derived. Both
 * sides of a binding must have declared the same one, to the last bound: its identity is a hash of
 * all that was declared.
 */

import { assert } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { ERROR_MESSAGE_BYTES } from './error-text.ts';
import { type Fields, type FieldType, string, struct, u32, u64, type Values } from './field.ts';
import { MAX_BODY_WORDS, MAX_MESSAGE_CAPS, MAX_METHODS } from './wire.ts';

/** A method as it is declared. */
export interface Method {
  readonly args: FieldType<unknown>;
  /** Undefined: the method is not answered. */
  readonly reply: FieldType<unknown> | undefined;
}

/** A method that takes an `A` and is answered by an `R`. */
export interface CallMethod<A, R> {
  readonly args: FieldType<A>;
  readonly reply: FieldType<R>;
}

/** A method that takes an `A` and is not answered. */
export interface OnewayMethod<A> {
  readonly args: FieldType<A>;
  readonly reply: undefined;
}

/** Methods by name, in the order of their numbers. */
export interface Methods {
  readonly [name: string]: Method;
}

export interface Interface<M extends Methods = Methods> {
  readonly name: string;
  readonly methods: M;
  /** Names of the methods; the place is the number. */
  readonly methodNames: readonly string[];
  /** All that was declared, as text. */
  readonly shape: string;
  /** FNV-1a hash of the shape, 64 bits in two words. */
  readonly hashLow: number;
  readonly hashHigh: number;
  /** Words of the longest body that a client, or a server, sends. */
  readonly maxCallWords: number;
  readonly maxReplyWords: number;
}

/** What a client can call. */
export type Client<M extends Methods> = {
  readonly [K in keyof M]: M[K] extends CallMethod<infer A, infer R>
    ? (args: A) => Wait<R>
    : M[K] extends OnewayMethod<infer A>
      ? (args: A) => Wait<void>
      : never;
};

/** What a server provides: plain functions, or generators, which may wait. */
export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: M[K] extends CallMethod<infer A, infer R>
    ? (args: A) => R | Wait<R>
    : M[K] extends OnewayMethod<infer A>
      ? (args: A) => Wait<void> | void
      : never;
};

/** Body of `Kind.Bind`. */
export const BIND_ARGS = struct({
  version: u32,
  hashLow: u32,
  hashHigh: u32,
  name: string(64),
});

/** Body of the reply to it. */
export const BIND_REPLY = struct({});

/** Body of `Kind.Error`: the stack of codes, and what else there is to say. */
export const ERROR_BODY = struct({ errval: u64, message: string(ERROR_MESSAGE_BYTES) });

/** A method that is answered. */
export function call<const A extends Fields, const R extends Fields>(
  args: A,
  reply: R,
): CallMethod<Values<A>, Values<R>> {
  return { args: struct(args), reply: struct(reply) };
}

/** A method that is not answered: nobody hears whether it was served. */
export function oneway<const A extends Fields>(args: A): OnewayMethod<Values<A>> {
  return { args: struct(args), reply: undefined };
}

/** Declare an interface. Names are identifiers, at most 64 characters. */
export function defineInterface<const M extends Methods>(name: string, methods: M): Interface<M> {
  const entries = Object.entries(methods);
  assert(entries.length <= MAX_METHODS, 'an interface has at most 256 methods');
  for (const each of [name, ...Object.keys(methods)]) {
    assert(/^[a-z][A-Za-z0-9]{0,63}$/.test(each), `${each} is not an identifier`);
  }
  const shape = `${name}{${entries.map(([key, method]) => key + shapeOf(method)).join(';')}}`;
  const hash = hashOf(shape);
  return {
    name,
    methods,
    methodNames: Object.keys(methods),
    shape,
    hashLow: Number(hash & 0xffff_ffffn),
    hashHigh: Number(hash >> 32n),
    maxCallWords: maxWords([BIND_ARGS, ...entries.map(([, { args }]) => args)]),
    maxReplyWords: maxWords([ERROR_BODY, ...entries.map(([, { reply }]) => reply)]),
  };
}

function shapeOf({ args, reply }: Method): string {
  return reply === undefined ? args.shape : `${args.shape}->${reply.shape}`;
}

/** Words of the longest of some bodies, all of which must fit a message. */
function maxWords(bodies: readonly (FieldType<unknown> | undefined)[]): number {
  let longest = 0;
  for (const body of bodies) {
    if (body === undefined) continue;
    assert(body.maxWords <= MAX_BODY_WORDS, 'a message has at most 65535 words');
    assert(body.maxCaps <= MAX_MESSAGE_CAPS, 'a message has at most 15 capabilities');
    longest = Math.max(longest, body.maxWords);
  }
  return longest;
}

/** Source: IETF draft-eastlake-fnv, FNV-1a, 64 bits. */
function hashOf(text: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const char of text) {
    hash ^= BigInt(char.codePointAt(0) ?? 0);
    hash = BigInt.asUintN(64, hash * 0x100_0000_01b3n);
  }
  return hash;
}
