/**
 * RBED once more, a cycle at a time: at each cycle look at everything and decide who has it. No
 * queues, no timers, no donations. Hard tasks only, beside a ring of best-effort tasks.
 */

/** A task; hard unless its `wcet` is 0. */
export interface ModelTask {
  readonly wcet: number;
  readonly period: number;
  /** Whether it would run if it is not stopped. */
  isWilling: boolean;
  isStopped: boolean;
  budget: number;
  deadline: number;
  /** Of its next job. */
  release: number;
  /** Whether its job can go on, and since when, to tell equal deadlines apart. */
  readySince: number;
}

const NOBODY = -1;

export class RbedModel {
  now: number;
  readonly tasks: ModelTask[];
  private readonly timeslice: number;
  private readonly share: number;
  /** Numbers of best-effort tasks: those that come back, then those that wait. */
  private returning: number[];
  private waiting: number[];
  private ring: { budget: number; deadline: number };
  private order: number;
  private over: number;

  /** @param share of the ring, 0 to 1 */
  constructor(
    terms: readonly { wcet: number; period: number }[],
    timeslice: number,
    share: number,
  ) {
    this.now = 0;
    this.tasks = terms.map(({ wcet, period }) => ({
      wcet,
      period,
      isWilling: false,
      isStopped: false,
      budget: 0,
      deadline: 0,
      release: 0,
      readySince: NOBODY,
    }));
    this.timeslice = timeslice;
    this.share = share;
    this.returning = [];
    this.waiting = [];
    this.ring = { budget: 0, deadline: 0 };
    this.order = 0;
    this.over = NOBODY;
  }

  /** A task wakes or blocks. */
  wish(i: number, isWilling: boolean): void {
    const task = this.tasks[i];
    if (task !== undefined) this.change(i, task, { ...task, isWilling });
  }

  /** A task is stopped or resumed. */
  stop(i: number, isStopped: boolean): void {
    const task = this.tasks[i];
    if (task !== undefined) this.change(i, task, { ...task, isStopped });
  }

  /** Who has the next cycle, undefined for nobody; it passes. */
  step(): number | undefined {
    this.endTurn();
    this.release();
    if (this.now >= this.ring.deadline && this.members.length > 0) {
      this.ring.budget = Math.min(0, this.ring.budget) + Math.floor(this.timeslice * this.share);
      this.ring.deadline = this.now + this.timeslice;
    }
    const job = this.earliestJob();
    const [member] = this.members;
    const deadline = this.tasks[job ?? NOBODY]?.deadline ?? Number.POSITIVE_INFINITY;
    const isRings = job === undefined || (this.ring.budget > 0 && this.ring.deadline < deadline);
    const next = member !== undefined && isRings ? member : job;
    if (next !== undefined) this.spend(next, job);
    this.now += 1;
    return next;
  }

  /** Only whether a task can run matters, not why. */
  private change(i: number, task: ModelTask, { isWilling, isStopped }: ModelTask): void {
    const [before, after] = [isRunnable(task), isWilling && !isStopped];
    task.isWilling = isWilling;
    task.isStopped = isStopped;
    if (after && !before) this.enter(i, task);
    if (before && !after) this.leave(i, task);
  }

  private enter(i: number, task: ModelTask): void {
    if (task.wcet === 0) {
      if (this.members.length === 0) {
        const rest = Math.max(0, this.ring.deadline - this.now);
        this.ring.budget = Math.min(this.ring.budget, Math.floor(rest * this.share));
      }
      (task.budget > 0 ? this.returning : this.waiting).push(i);
      return;
    }
    if (task.release <= this.now) return; // `release` sees to it
    const most = Math.floor((Math.max(0, task.deadline - this.now) * task.wcet) / task.period);
    task.budget = Math.min(task.budget, most);
    if (task.budget > 0) task.readySince = this.order++;
  }

  private leave(i: number, task: ModelTask): void {
    task.readySince = NOBODY;
    this.returning = this.returning.filter((each) => each !== i);
    this.waiting = this.waiting.filter((each) => each !== i);
  }

  private get members(): readonly number[] {
    return [...this.returning, ...this.waiting];
  }

  /** Start the jobs that are due, in the order of their releases. */
  private release(): void {
    for (const task of this.tasks) {
      const isDue = isRunnable(task) && task.wcet > 0 && task.release <= this.now;
      if (!isDue) continue;
      task.deadline = this.now + task.period;
      task.release = this.now + task.period;
      task.budget = task.wcet;
      task.readySince = this.order++;
    }
  }

  private earliestJob(): number | undefined {
    const [first] = this.tasks
      .filter(({ readySince }) => readySince !== NOBODY)
      .toSorted((a, b) => a.deadline - b.deadline || a.readySince - b.readySince);
    return first === undefined ? undefined : this.tasks.indexOf(first);
  }

  private spend(i: number, job: number | undefined): void {
    const task = this.tasks[i];
    if (task === undefined) return;
    if (task.wcet === 0) {
      if (task.budget <= 0) task.budget = Math.floor(this.timeslice * this.share);
      if (this.ring.budget > 0) this.ring.budget -= 1;
    }
    task.budget -= 1;
    if (task.budget === 0 && i === job) task.readySince = NOBODY;
    if (task.budget === 0 && task.wcet === 0) this.over = i;
  }

  /** Whoever has used up its turn in the last cycle goes to the end, newcomers included. */
  private endTurn(): void {
    const { over } = this;
    this.over = NOBODY;
    const task = this.tasks[over];
    if (task === undefined || !isRunnable(task)) return;
    this.returning = this.returning.filter((each) => each !== over);
    this.waiting = [...this.waiting.filter((each) => each !== over), over];
  }
}

function isRunnable({ isWilling, isStopped }: ModelTask): boolean {
  return isWilling && !isStopped;
}
