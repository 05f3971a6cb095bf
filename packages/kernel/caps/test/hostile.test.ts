/**
 * Invocations with random words from somebody who holds ordinary capabilities: nothing throws, no
 * invariant breaks, and a call that fails changes no byte of memory (I8, I69).
 */

import { asPtr, type Errval, OK, Prng } from '@barreleye/core';
import { CAP_TYPE_COUNT, capAddrOf, Dcb, errName, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  type Caps,
  checkCaps,
  copyToSlot,
  createIdentification,
  errorOf,
  invokeCopy,
  invokeCreate,
  invokeDelete,
  invokeGetState,
  invokeIdentify,
  invokeMint,
  invokeResize,
  invokeRetype,
  invokeRevoke,
  isError,
  type Slot,
  sweep,
} from '../src/index.ts';
import { KIB, PAGE, ramAt, World } from './world.ts';

const CALLS = [
  invokeCopy,
  invokeCopy,
  invokeMint,
  invokeMint,
  invokeRetype,
  invokeRetype,
  invokeRetype,
  invokeDelete,
  invokeRevoke,
  invokeCreate,
  stateOfAny,
  identifyAny,
  resizeOwn,
] as const;

function identifyAny(caps: Caps, root: Slot, args: Uint32Array): Errval {
  return invokeIdentify(caps, root, args, createIdentification());
}

function stateOfAny(caps: Caps, root: Slot, args: Uint32Array): Errval {
  const state = invokeGetState(caps, root, args);
  return isError(state) ? errorOf(state) : OK;
}

function resizeOwn(caps: Caps, root: Slot, args: Uint32Array): Errval {
  return invokeResize(caps, root, args);
}

/** A space with a few capabilities of every interesting kind. */
function createWorld(): World {
  const w = new World();
  let offset = 0;
  const make = (type: number, target: Slot, bytes: number, count = 1): void => {
    const err = w.retype(w.ram, type, target, { offset, bytes, count });
    expect(errName(err)).toBe('OK');
    offset += 64 * KIB;
  };
  make(ObjType.RAM, w.at(1, 1), 64 * KIB);
  make(ObjType.Dispatcher, w.at(1, 2), 0, 2);
  make(ObjType.L1CNode, w.at(1, 4), 32 * KIB);
  make(ObjType.L2CNode, w.at(1, 5), 16 * KIB, 2);
  make(ObjType.VNode_x86_64_ptable, w.at(1, 7), 0, 2);
  make(ObjType.Frame, w.at(1, 9), 2 * PAGE, 2);
  copyToSlot(w.caps, w.at(1, 9), Dcb.frame.at(asPtr<'Dcb'>(ramAt(64 * KIB))));
  expect(w.retype(w.at(1, 2), ObjType.EndPointLMP, w.at(1, 11))).toBe(0);
  for (let i = 0; i < 4; i++) w.map(w.at(1, 9), w.at(1, 7), w.at(1, 12 + i), 2 * i, 2);
  return w;
}

/** A word that somebody might pass: an address, a slot, a small number, or anything. */
function anyWord(prng: Prng): number {
  switch (prng.below(8)) {
    case 0:
      return prng.next32();
    case 1:
      return 2 ** prng.below(32);
    case 2:
      return prng.below(6);
    case 3:
      return PAGE * prng.below(520);
    case 4:
      return prng.below(CAP_TYPE_COUNT) | (prng.below(4) << 16);
    case 5:
      return prng.below(300) | (prng.below(3) << 24);
    default:
      return capAddrOf(prng.below(5), prng.below(24));
  }
}

/** Words that are right in form, so that calls get further than the first check. */
function likelyWords(prng: Prng, call: (typeof CALLS)[number], args: Uint32Array): void {
  if (call === invokeRetype) {
    args[0] = 2;
    args[1] = capAddrOf(1, prng.below(16));
    args[3] = 0;
    args[4] = (1 + prng.below(CAP_TYPE_COUNT - 1)) | ((1 + prng.below(3)) << 16);
    args[6] = 0;
    args[7] = 2;
    args[8] = capAddrOf(1 + prng.below(3), 0);
    args[9] = prng.below(40) | (1 << 24);
  } else if (call === invokeCopy || call === invokeMint) {
    args[0] = 2;
    args[1] = capAddrOf(1 + prng.below(3), 0);
    args[2] = prng.below(40);
    args[3] = 2;
    args[4] = capAddrOf(1, prng.below(30));
    args[5] = 1 | (2 << 4);
    if (prng.below(3) !== 0) args.fill(0, 7, 9);
  } else {
    args[1] = 2;
  }
}

describe('hostile words', () => {
  it('never throw, never break an invariant, and change nothing when refused', () => {
    const outcomes = new Map<string, number>();
    const args = new Uint32Array(10);
    for (let run = 0; run < 30; run++) {
      const w = createWorld();
      const prng = new Prng(5000 + run);
      const own = w.at(0, 2);
      const others = Array.from({ length: 16 }, (_, i) => w.at(1, i));
      const live = Buffer.from(w.mem.buffer);
      let before = Buffer.from(live);
      for (let i = 0; i < 160 && !w.isEmpty(own); i++) {
        for (let word = 0; word < args.length; word++) args[word] = anyWord(prng);
        const call = CALLS[prng.below(CALLS.length)] as (typeof CALLS)[number];
        if (prng.below(3) !== 0) likelyWords(prng, call, args);
        const other = others[prng.below(others.length)] as Slot;
        const root = prng.below(20) === 0 && !w.isEmpty(other) ? other : own;
        const name = errName(call(w.caps, root, args));
        const isSame = live.equals(before);
        // A revoke may have got some way before it met what it must leave to the monitor.
        const mayChange = name === 'OK' || call === invokeRevoke;
        if (!mayChange && !isSame) expect(`${call.name}: ${name}`).toBe('without effect');
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
        expect(errName(sweep(w.caps))).toBe('OK');
        if (isSame) continue;
        expect(checkCaps(w.caps)).toEqual([]);
        before = Buffer.from(live);
      }
    }
    expect(outcomes.get('OK')).toBeGreaterThan(300);
    expect(outcomes.size, 'many different refusals').toBeGreaterThan(20);
  });
});
