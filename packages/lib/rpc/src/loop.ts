/**
 * Threads without a system: runs generators, one at a time. What they wait for is for `wake`. A
 * step takes one cycle; when all threads wait, it is at once as late as the next alarm.
 */

import { assert, type Prng } from '@barreleye/core';
import { Timer, TimerQueue, type Wait } from '@barreleye/libos';
import type { Threads, WaitReason } from './threads.ts';

interface LoopThread {
  readonly name: string;
  readonly body: Wait<unknown>;
  state: 'ready' | 'running' | 'blocked' | 'done';
  reason: WaitReason | undefined;
}

export class Loop implements Threads {
  private readonly prng: Prng | undefined;
  private readonly threads: Set<LoopThread>;
  private readonly ready: LoopThread[];
  private current: LoopThread | undefined;
  private readonly timers: TimerQueue;
  private cycles: number;

  /** @param prng decides who runs next; without it the threads take turns */
  constructor(prng?: Prng) {
    this.prng = prng;
    this.threads = new Set();
    this.ready = [];
    this.current = undefined;
    this.timers = new TimerQueue();
    this.cycles = 0;
  }

  create(name: string, body: Wait<unknown>): object {
    const thread: LoopThread = { name, body, state: 'ready', reason: undefined };
    this.threads.add(thread);
    this.ready.push(thread);
    return thread;
  }

  get running(): LoopThread {
    assert(this.current !== undefined, 'no thread is running');
    return this.current;
  }

  block(reason: WaitReason): void {
    this.running.state = 'blocked';
    this.running.reason = reason;
  }

  wake(thread: object): void {
    const woken = thread as LoopThread;
    assert(woken.state === 'blocked', 'only a blocked thread can be woken');
    woken.state = 'ready';
    this.ready.push(woken);
  }

  setAlarm(cycles: number, expire: () => void): object {
    const timer = new Timer(expire);
    this.timers.set(timer, this.cycles + Math.max(cycles, 1));
    return timer;
  }

  cancelAlarm(alarm: object): void {
    this.timers.cancel(alarm as Timer);
  }

  /**
   * Run until no thread is ready and no alarm is set. Throws what a thread throws.
   * @returns the threads that are blocked, and what each waits for
   */
  run(): string[] {
    for (;;) {
      if (this.ready.length === 0 && this.timers.length > 0) this.cycles = this.timers.deadline;
      this.timers.expireUntil(this.cycles);
      const at = this.prng === undefined || this.ready.length === 0 ? 0 : this.next();
      const [thread] = this.ready.splice(at, 1);
      if (thread === undefined) {
        if (this.timers.length > 0) continue;
        return [...this.threads].map((t) => `${t.name}: ${t.reason?.label}`);
      }
      this.cycles += 1;
      this.current = thread;
      thread.state = 'running';
      const { done } = thread.body.next();
      this.current = undefined;
      if (done) {
        thread.state = 'done';
        this.threads.delete(thread);
      } else if (thread.state === 'running') {
        thread.state = 'ready'; // it gave way
        this.ready.push(thread);
      }
    }
  }

  private next(): number {
    return this.prng?.below(this.ready.length) ?? 0;
  }
}
