import { Caps, createCap, NO_HOOKS, slotAt, type Slot, findObject, moveToSlot, copyToSlot, deleteCap, copy, retype } from '@barreleye/caps';
import { asPaddr, asPtr, PhysMem, Prng, alignUp } from '@barreleye/core';
import { CTE_BYTES, KCB_BYTES, L1_CNODE_GRANULE, L2_CNODE_BYTES, L2_CNODE_SLOTS, ObjType } from '@barreleye/spec';

export function build(n: number, random = true) {
  const cnodes = Math.ceil(n / 256) + 1;
  const l1Bytes = alignUp(cnodes * CTE_BYTES, 14);
  const cn0 = KCB_BYTES + l1Bytes;
  const ramBase = alignUp(cn0 + cnodes * L2_CNODE_BYTES, 14);
  const mem = new PhysMem(new SharedArrayBuffer(ramBase + (n + 2) * 4096));
  const kcb = asPtr<'Kcb'>(0);
  const caps = new Caps(mem, kcb);
  const root = asPtr<'Cte'>(192);
  createCap(caps, root, ObjType.L1CNode, { base: asPaddr(KCB_BYTES), bytes: l1Bytes });
  for (let i = 0; i < cnodes; i++) createCap(caps, asPtr<'Cte'>(KCB_BYTES + i * 64), ObjType.L2CNode, { base: asPaddr(cn0 + i * L2_CNODE_BYTES) });
  const prng = new Prng(1);
  const perm = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) { const j = prng.below(i + 1); const t = perm[i]!; perm[i] = perm[j]!; perm[j] = t; }
  const where = new Uint32Array(n);
  if (random) {
    for (let i = 0; i < n; i++) {
      const r = perm[i]!;
      const slot = asPtr<'Cte'>(cn0 + i * 64);
      where[r] = slot;
      createCap(caps, slot, ObjType.RAM, { base: asPaddr(ramBase + r * 4096), bytes: r % 2 === 0 ? 8192 : 4096 });
    }
  } else {
    for (let r = 0; r < n; r++) {
      const slot = asPtr<'Cte'>(cn0 + perm[r]! * 64);
      where[r] = slot;
      createCap(caps, slot, ObjType.RAM, { base: asPaddr(ramBase + r * 4096), bytes: r % 2 === 0 ? 8192 : 4096 });
    }
  }
  const picks = Uint32Array.from({ length: 1 << 20 }, () => prng.below(n));
  return { mem, caps, where, picks, ramBase, spare: asPtr<'Cte'>(cn0 + (cnodes - 1) * L2_CNODE_BYTES), spareCn: asPtr<'Cte'>(KCB_BYTES + (cnodes - 1) * 64) };
}
const n = Number(process.argv[2]);
let t = performance.now();
const s = build(n, process.argv[3] !== 'asc');
console.log('build', n, (performance.now() - t).toFixed(0), 'ms', ((performance.now() - t) * 1e6 / n).toFixed(0), 'ns each');
const { caps, where, picks, ramBase } = s;
let cursor = 0, sum = 0;
let spare: number = s.spare;
function lookup(k: number) { for (let i = 0; i < k; i++) { const r = picks[cursor]!; cursor = (cursor + 1) & 0xfffff; sum += findObject(caps, ObjType.RAM, ramBase + r * 4096, r % 2 === 0 ? 8192 : 4096); } }
function move(k: number) { for (let i = 0; i < k; i++) { const r = picks[cursor]!; cursor = (cursor + 1) & 0xfffff; const old = where[r]!; moveToSlot(caps, asPtr<'Cte'>(old), asPtr<'Cte'>(spare)); where[r] = spare; spare = old; } }
const req = { source: s.spare, cnode: s.spareCn, slotIndex: 1, isMint: false, param1: 0, param2: 0 };
const target = asPtr<'Cte'>(s.spare + 64);
function cd(k: number) { for (let i = 0; i < k; i++) { const r = picks[cursor]!; cursor = (cursor + 1) & 0xfffff; req.source = asPtr<'Cte'>(where[r]!); if (copy(caps, req) !== 0) throw 1; if (deleteCap(caps, target) !== 0) throw 2; } }
const rq = { source: s.spare, offset: 0, type: ObjType.RAM, objectBytes: 4096, count: 1, cnode: s.spareCn, slotIndex: 1, isFromMonitor: false };
function rd(k: number) { for (let i = 0; i < k; i++) { const r = picks[cursor]! & ~1; cursor = (cursor + 1) & 0xfffff; rq.source = asPtr<'Cte'>(where[r]!); const e = retype(caps, rq); if (e !== 0) throw e; if (deleteCap(caps, target) !== 0) throw 2; } }
function ins(k: number) { let tt = 0; for (let b = 0; b < k; b += 128) { for (let j = 0; j < 128; j++) { const t = asPtr<'Cte'>(s.spare + 4096 + j * 64); if (caps.mem.load32(t) !== 0) deleteCap(caps, t); } const t0 = performance.now(); for (let j = 0; j < 128; j++) { const r = picks[cursor]!; cursor = (cursor + 1) & 0xfffff; copyToSlot(caps, asPtr<'Cte'>(where[r]!), asPtr<'Cte'>(s.spare + 4096 + j * 64)); } tt += performance.now() - t0; } return tt; }
for (let round = 0; round < 4; round++) {
  const out: string[] = [];
  for (const [name, f] of [['lookup', lookup], ['move', move], ['insert', ins], ['copy+del', cd], ['retype+del', rd]] as const) {
    const k = 200_000; const t0 = performance.now(); const v = f(k); const dt = v ?? performance.now() - t0; out.push(`${name} ${(dt * 1e6 / k).toFixed(0)}`);
  }
  console.log(out.join('  '), sum & 1);
}
