/**
 * What the holder of a Kernel capability, a monitor, may ask of the CPU driver: spec `KernelCmd`.
 * Capabilities of any domain are named by references whose `croot` is that domain's root CNode in
 * the caller's CSpace, or described by what identify says. Every failure is LIB_ERR_KERNEL_CAP over
 * the kernel's reason.
 */

import {
  assert,
  type Errval,
  errPush,
  fail,
  highWord,
  isOk,
  lowWord,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  ARCH_NAMES,
  type ArchName,
  type CapTypeName,
  CPTR_ROOTCN,
  Err,
  KernelCmd,
  ObjType,
  packCapHead,
  type RetypeTarget,
  type Scheduler,
} from '@barreleye/spec';
import { type Capref, holds, placeOf, type Slot } from './capref.ts';
import { beginRetype, type CapIdentity, type RetypeRange, readIdentity } from './caps.ts';
import { answered, pushed, type Sys } from './sys.ts';

const FAILURE = Err.LIB_ERR_KERNEL_CAP;

export class KernelCap {
  private readonly sys: Sys;
  private readonly cap: Capref<'Kernel'>;

  constructor(sys: Sys, cap: Capref<'Kernel'>) {
    this.sys = sys;
    this.cap = cap;
  }

  /** Number of this core. */
  coreId(): Result<number> {
    return this.begin(KernelCmd.GetCoreId).answer();
  }

  /**
   * Start core `core` with the boot information in `frame`.
   * @errors SYS_ERR_CORE_START
   */
  spawnCore(core: number, frame: Capref<'Frame'>): Errval {
    return this.begin(KernelCmd.SpawnCore, core).own(frame).done();
  }

  /** Switch this core off, and all that runs on it. Comes back only if it was refused. */
  stopCore(): Errval {
    return this.begin(KernelCmd.StopCore).done();
  }

  /** Whether nothing runs on core `core`; then its memory can be taken back. */
  isCoreOff(core: number): Result<boolean> {
    const answer = this.begin(KernelCmd.IsCoreOff, core).answer();
    return answer.ok ? succeed(answer.value === 1) : answer;
  }

  /**
   * Have another CPU driver go on in the place of this core's.
   * @errors SYS_ERR_NO_DRIVER
   */
  replaceDriver(): Errval {
    return this.begin(KernelCmd.ReplaceDriver).done();
  }

  /** Have this core forget the translations of `pageCount` pages from `va` on, in all domains. */
  invalidate(va: number, pageCount: number): Errval {
    assert(pageCount > 0, 'a range has pages');
    return this.begin(KernelCmd.Invalidate, lowWord(va), highWord(va), pageCount).done();
  }

  /** Have this core forget all translations. */
  invalidateAll(): Errval {
    return this.begin(KernelCmd.Invalidate, 0, 0, 0).done();
  }

  /** Architecture of this core. */
  arch(): Result<ArchName> {
    const number = this.begin(KernelCmd.GetArchId).answer();
    return number.ok ? succeed(ARCH_NAMES[number.value] as ArchName) : number;
  }

  /** Counter `index` of the CPU driver (spec `COUNTERS`). */
  counter(index: number): Result<number> {
    return this.begin(KernelCmd.Counters, index).answer();
  }

  /** How this core shares its time. */
  scheduler(): Result<Scheduler> {
    const number = this.begin(KernelCmd.GetScheduler).answer();
    return number.ok ? succeed(number.value as Scheduler) : number;
  }

  /** What a capability of any domain says, whatever rights the way to it has beside read. */
  identify(cap: Capref): Result<CapIdentity> {
    const answer = this.begin(KernelCmd.IdentifyDomainsCap).any(cap).answer();
    return answer.ok ? succeed(readIdentity(this.sys)) : answer;
  }

  /** What other cores have of an object: `CteFlag.RemoteCopies` and so on. */
  relations(cap: Capref): Result<number> {
    return this.setRelations(cap, 0, 0);
  }

  /** Set those of these bits that are in `mask`; all of them as they are then. */
  setRelations(cap: Capref, relations: number, mask: number): Result<number> {
    const bits = (relations & 0xff) | ((mask & 0xff) << 8);
    return this.begin(KernelCmd.RemoteRelations).any(cap, bits).answer();
  }

  /** Which of copies, ancestors and descendants exist on this core: the same bits. */
  localRelations(cap: Capref, mask: number): Result<number> {
    return this.begin(KernelCmd.CapHasRelations).own(cap, mask).answer();
  }

  /** Put a capability that another core has described into `slot`. */
  create<T extends CapTypeName>(
    slot: Slot,
    identity: CapIdentity & { readonly type: T },
  ): Result<Capref<T>> {
    return this.begin(KernelCmd.CreateCap).described(identity).into(slot);
  }

  /** Put a copy of a capability that this core has, as another core describes it, into `slot`. */
  copyExisting<T extends CapTypeName>(
    slot: Slot,
    identity: CapIdentity & { readonly type: T },
  ): Result<Capref<T>> {
    return this.begin(KernelCmd.CopyExisting).described(identity).into(slot);
  }

  /** Drop one of several copies, whatever its object is doing. */
  nullify(cap: Capref): Errval {
    return this.begin(KernelCmd.NullifyCap).own(cap).done();
  }

  /** Have deaths reported to this endpoint; `parseDeathReport` reads its messages. */
  register(endpoint: Capref<'EndPointLMP'>): Errval {
    return this.begin(KernelCmd.Register).own(endpoint).done();
  }

  /** Say which domain, by its number on this core, a dispatcher belongs to. */
  setDomainId(dispatcher: Capref<'Dispatcher'>, id: number): Errval {
    return this.begin(KernelCmd.DomainId).own(dispatcher, id).done();
  }

  owner(cap: Capref): Result<number> {
    return this.begin(KernelCmd.GetCapOwner).any(cap).answer();
  }

  setOwner(cap: Capref, core: number): Errval {
    return this.begin(KernelCmd.SetCapOwner).any(cap, core).done();
  }

  lock(cap: Capref): Errval {
    return this.begin(KernelCmd.LockCap).any(cap).done();
  }

  unlock(cap: Capref): Errval {
    return this.begin(KernelCmd.UnlockCap).any(cap).done();
  }

  /** Delete a capability after other cores have given up theirs. */
  deleteLast(cap: Capref): Errval {
    return this.begin(KernelCmd.DeleteLast).any(cap).done();
  }

  /** Delete all copies here of what another core owns. */
  deleteForeigns(cap: Capref): Errval {
    return this.begin(KernelCmd.DeleteForeigns).own(cap).done();
  }

  /** End or mark all copies and descendants but `cap` itself. */
  markTarget(cap: Capref): Errval {
    return this.begin(KernelCmd.RevokeMarkTarget).any(cap).done();
  }

  /** End or mark all copies and descendants of an object that another core owns. */
  markRelations(identity: CapIdentity): Errval {
    return this.begin(KernelCmd.RevokeMarkRelations).described(identity).done();
  }

  /** A step of a delete; true if `slot` holds now what waits for other cores. */
  deleteStep(slot: Slot): Result<boolean> {
    const answer = this.begin(KernelCmd.DeleteStep).place(slot).answer();
    return answer.ok ? succeed(answer.value === 1) : answer;
  }

  clearStep(): Errval {
    return this.begin(KernelCmd.ClearStep).done();
  }

  /** `capRetype` of what is locked, after the other cores have agreed. */
  retype<S extends CapTypeName, T extends RetypeTarget<S>>(
    slot: Slot,
    source: Capref<S>,
    target: T,
    range: RetypeRange,
  ): Result<Capref<T>> {
    this.sys.begin(this.cap, KernelCmd.Retype);
    beginRetype(this.sys, slot, source, target, range);
    return this.put(slot);
  }

  hasDescendants(identity: CapIdentity): Result<boolean> {
    const answer = this.begin(KernelCmd.HasDescendants).described(identity).answer();
    return answer.ok ? succeed(answer.value === 1) : answer;
  }

  /** Whether nothing here stands in the way of a retype on another core. */
  checkRetypeable(identity: CapIdentity, range: RetypeRange): Errval {
    this.begin(KernelCmd.IsRetypeable).described(identity);
    this.sys.arg64(range.offset);
    this.sys.arg64(range.objectBytes);
    this.sys.arg(range.count);
    return this.done();
  }

  /**
   * Put RAM that nobody holds into `slot`.
   * @errors SYS_ERR_CAP_NOT_FOUND below LIB_ERR_KERNEL_CAP: there is none
   */
  reclaimRam(slot: Slot): Result<Capref<'RAM'>> {
    return this.begin(KernelCmd.ReclaimRam).into(slot);
  }

  private begin(command: number, ...words: readonly number[]): this {
    this.sys.begin(this.cap, command);
    for (const word of words) this.sys.arg(word);
    return this;
  }

  private own(cap: Capref, ...words: readonly number[]): this {
    assert(cap.croot === CPTR_ROOTCN, 'a capability of our own CSpace');
    for (const word of [cap.cptr, cap.level, ...words]) this.sys.arg(word);
    return this;
  }

  private any(cap: Capref, ...words: readonly number[]): this {
    for (const word of [cap.croot, cap.cptr, cap.level, ...words]) this.sys.arg(word);
    return this;
  }

  private described(identity: CapIdentity): this {
    const { type, rights, iftype, base, bytes, owner, arg0, arg1 } = identity;
    const extent = [lowWord(base), highWord(base), lowWord(bytes), highWord(bytes)];
    const head = packCapHead(ObjType[type], rights, iftype);
    for (const word of [head, ...extent, owner, arg0, arg1]) this.sys.arg(word);
    return this;
  }

  private place(slot: Slot): this {
    assert(slot.croot === CPTR_ROOTCN, 'a slot of our own CSpace');
    this.sys.argPlace(placeOf(slot));
    return this;
  }

  private into<T extends CapTypeName>(slot: Slot): Result<Capref<T>> {
    return this.place(slot).put(slot);
  }

  private put<T extends CapTypeName>(slot: Slot): Result<Capref<T>> {
    const err = this.sys.call();
    return isOk(err) ? succeed(holds<T>(slot)) : fail(errPush(err, FAILURE));
  }

  private answer(): Result<number> {
    return answered(this.sys, FAILURE);
  }

  private done(): Errval {
    return pushed(this.sys.call(), FAILURE);
  }
}
