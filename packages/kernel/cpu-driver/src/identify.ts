/** What a capability says, as a system call answers it. */

import { identify, invokeIdentify, type Slot } from '@barreleye/caps';
import { type Errval, highWord, isOk, lowWord, OK } from '@barreleye/core';
import { Dcb, DcbState, DispatcherFrame, Err, packCapHead } from '@barreleye/spec';
import { currentDcb, dcbOf, frameOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';

/** `CNodeCmd.Identify`. */
export function identifyInCNode(k: Kernel, cnode: Slot): Errval {
  const err = invokeIdentify(k.caps, cnode, k.args, k.identity);
  return isOk(err) ? answerIdentity(k) : err;
}

/** `EndpointCmd.Identify`. @errors SYS_ERR_LMP_NO_TARGET the receiver is dead */
export function identifyEndpoint(k: Kernel, ep: Slot): Errval {
  const isDead = Dcb.state.get(k.mem, dcbOf(k, ep)) === DcbState.Dead;
  return isDead ? Err.SYS_ERR_LMP_NO_TARGET : identifySlot(k, ep);
}

/** The same answer about the capability in `slot`. */
export function identifySlot(k: Kernel, slot: Slot): Errval {
  identify(k.mem, slot, k.identity);
  return answerIdentity(k);
}

/**
 * Type, rights and interface type as the value; base, bytes, owner and the arguments in the message
 * words of the caller's frame. Together they are the words of a description (`CAP_WORDS`).
 */
function answerIdentity(k: Kernel): Errval {
  const { mem, identity } = k;
  const frame = frameOf(k, currentDcb(k));
  const { message } = DispatcherFrame;
  message.set(mem, frame, 0, lowWord(identity.base));
  message.set(mem, frame, 1, highWord(identity.base));
  message.set(mem, frame, 2, lowWord(identity.bytes));
  message.set(mem, frame, 3, highWord(identity.bytes));
  message.set(mem, frame, 4, identity.owner);
  message.set(mem, frame, 5, identity.arg0);
  message.set(mem, frame, 6, identity.arg1);
  k.value = packCapHead(identity.type, identity.rights, identity.iftype);
  return OK;
}
