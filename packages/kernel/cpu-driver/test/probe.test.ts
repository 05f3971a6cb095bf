import { checkMdb } from '@barreleye/caps';
import {
  CNodeCmd,
  capAddrOf,
  Dcb,
  DispatcherFrame,
  IrqDestCmd,
  IrqTableCmd,
  Kcb,
  ObjType,
  Rights,
  RootSlot,
  Syscall,
} from '@barreleye/spec';
import { describe, test } from 'vitest';
import { TARGETS } from './bench.ts';
import {
  IRQ_TABLE,
  must,
  OWN_DISPATCHER,
  OWN_FRAME,
  placeOf,
  RAM,
  ROOT_TABLE,
  User,
} from './user.ts';

function attempt(name: string, body: () => unknown) {
  try {
    console.log(name, JSON.stringify(body()));
  } catch (e) {
    console.log(name, 'THROWS', String(e));
  }
}
describe.each(TARGETS)('$name', (target) => {
  test('probe', () => {
    attempt('flags16', () => {
      const u = new User(target);
      const t = u.makeTables(0x2000_0000);
      const f = u.make(ObjType.Frame, 4096);
      return u.map(t, f, u.newSlot(), { flags: 17 });
    });
    attempt('yieldnew', () => {
      const u = new User(target);
      const d = u.make(ObjType.Dispatcher);
      DispatcherFrame.disabled.set(u.bench.mem, u.frame, 1);
      return u.call(Syscall.Yield, d);
    });
    attempt('irqdead', () => {
      const u = new User(target);
      const ep = u.newSlot();
      must(u.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, ep));
      const m = u.newSlot();
      must(u.mint(ep, m, 8192, 64));
      const irq = u.newSlot();
      must(u.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, 7, ...placeOf(irq)));
      must(u.invoke(irq, IrqDestCmd.Connect, m, 2));
      DispatcherFrame.pagefaultDisabledEntry.set(u.bench.mem, u.frame, 0);
      DispatcherFrame.disabled.set(u.bench.mem, u.frame, 1);
      u.bench.act((cpu) => {
        cpu.load32(0);
      });
      u.bench.core.raise(7);
      u.bench.run(100000);
      return Dcb.state.get(u.bench.mem, u.dcb as never);
    });
    attempt('unmapcopy', () => {
      const u = new User(target);
      const t = u.makeTables(0x2000_0000);
      const f = u.make(ObjType.Frame, 4096);
      const m = u.newSlot();
      must(u.map(t, f, m, { first: u.entryOf(0x2000_0000) }));
      const c = u.newSlot();
      const r = [u.copy(m, c), u.unmap(t, m)];
      const v = u.bench.act((cpu) => cpu.load32(0x2000_0000));
      return [r, v];
    });
    attempt('revokeframe', () => {
      const u = new User(target);
      const a = u.revoke(OWN_FRAME);
      const b = u.call(Syscall.Nop);
      return [a, b, checkMdb(u.bench.kernel.caps)];
    });
    attempt('revokeroot', () => {
      const u = new User(target);
      const a = u.revoke(ROOT_TABLE);
      const b = u.delete(ROOT_TABLE);
      u.bench.run(100000);
      const d = u.bench.mem.load32;
      return [a, b, u.bench.machine.run(1e6), Dcb.vspaceRoot.get(u.bench.mem, u.dcb as never)];
    });
    attempt('dest cnode ro', () => {
      const u = new User(target);
      const c = u.make(ObjType.L2CNode);
      const top = capAddrOf(0, 200);
      const ro = u.invokeRoot(CNodeCmd.Mint, 2, 0, 200, 2, c, 0 + 2 * 16, Rights.Read, 0);
      const r = u.invokeRoot(CNodeCmd.Copy, 2, 200 << 8, 0, 2, RAM, 1 + 2 * 16);
      return [ro, r];
    });
    attempt('irq realloc', () => {
      const u = new User(target);
      const irq = u.newSlot();
      must(u.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, 7, ...placeOf(irq)));
      must(u.delete(irq));
      return u.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, 7, ...placeOf(irq));
    });
    attempt('kcb in cnode', () => {
      const u = new User(target);
      const c = u.make(ObjType.L2CNode);
      const a = u.invokeRoot(CNodeCmd.Copy, 2, 0, 200, 2, c, 0 + 2 * 16); // c in root slot 200
      const k = u.invokeRoot(CNodeCmd.Copy, 2, 200 << 8, 0, 2, RootSlot.BspKcb << 8, 1 + 1 * 16);
      const d1 = u.invokeRoot(CNodeCmd.Delete, RootSlot.BspKcb << 8, 1);
      const d2 = u.delete(c);
      const d3 = u.invokeRoot(CNodeCmd.Delete, 200 << 8, 1);
      return [a, k, d1, d2, d3, u.copy(RAM, u.newSlot()), u.copy(RAM, u.newSlot())];
    });
    attempt('locked table', () => {
      const u = new User(target);
      return 0;
    });
  });
});
