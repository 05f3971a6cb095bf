/** What the compiler knows of an interface. The assertions are those that `tsc` makes. */

import type { Capref, Wait } from '@barreleye/libos';
import { expect, expectTypeOf, it } from 'vitest';
import {
  array,
  bool,
  bytes,
  type Client,
  call,
  cap,
  defineInterface,
  type Handlers,
  oneOf,
  oneway,
  optional,
  string,
  struct,
  u32,
  u64,
} from '../src/index.ts';

const Store = defineInterface('store', {
  open: call({ path: string(256), mode: oneOf('read', 'write') }, { file: u32 }),
  read: call({ file: u32, at: optional(u64) }, { data: bytes(4096), isEnd: bool }),
  map: call({ frames: array(cap('Frame'), 2) }, { regions: array(struct({ base: u64 }), 2) }),
  forget: oneway({ file: u32 }),
});
type Methods = typeof Store.methods;

it('derives the types of a client', () => {
  type C = Client<Methods>;
  expectTypeOf<ReturnType<C['open']>>().toEqualTypeOf<Wait<{ readonly file: number }>>();
  expectTypeOf<ReturnType<C['forget']>>().toEqualTypeOf<Wait<void>>();
  expectTypeOf<keyof C>().toEqualTypeOf<'open' | 'read' | 'map' | 'forget'>();
  const uses = (store: C, frame: Capref<'Frame'>, ram: Capref<'RAM'>) => [
    store.open({ path: '/etc/motd', mode: 'read' }),
    store.read({ file: 1 }),
    store.read({ file: 1, at: 4096 }),
    store.map({ frames: [frame] }),
    // @ts-expect-error there is no such mode
    store.open({ path: '/etc/motd', mode: 'append' }),
    // @ts-expect-error a field is missing
    store.open({ path: '/etc/motd' }),
    // @ts-expect-error a field that was not declared
    store.forget({ file: 1, force: true }),
    // @ts-expect-error text for a number
    store.forget({ file: '1' }),
    // @ts-expect-error RAM is not a Frame
    store.map({ frames: [ram] }),
    // @ts-expect-error there is no such method
    store.close({}),
  ];
  expect(uses).toBeInstanceOf(Function);
});

it('derives the types of handlers', () => {
  const good: Handlers<Methods> = {
    open: ({ mode }) => ({ file: mode === 'read' ? 1 : 2 }),
    *read({ at }) {
      expectTypeOf(at).toEqualTypeOf<number | undefined>();
      yield;
      return { data: new Uint8Array(at ?? 0), isEnd: true };
    },
    map: ({ frames }) => ({ regions: frames.map(({ cptr }) => ({ base: cptr })) }),
    forget: () => undefined,
  };
  const { open, ...withoutOpen } = good;
  // @ts-expect-error a handler is missing
  const incomplete: Handlers<Methods> = withoutOpen;
  const wrong: Handlers<Methods> = {
    ...good,
    // @ts-expect-error a file is a number
    open: () => ({ file: '1' }),
    // @ts-expect-error so it is when the handler may wait
    *read() {
      yield;
      return { data: 'text', isEnd: true };
    },
  };
  expect([open, incomplete, wrong]).toHaveLength(3);
});
