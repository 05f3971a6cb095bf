/** Counting semaphores on paper: who has been given a unit, and who waits. */

export class SemaphoreModel {
  count: number;
  readonly waiting: string[] = [];
  /** Those who were given a unit and have not noticed yet. */
  readonly given = new Set<string>();

  constructor(count: number) {
    this.count = count;
  }

  ask(name: string): void {
    if (this.count === 0) {
      this.waiting.push(name);
    } else {
      this.count -= 1;
      this.given.add(name);
    }
  }

  post(): void {
    const name = this.waiting.shift();
    if (name === undefined) this.count += 1;
    else this.given.add(name);
  }

  /** @returns whether it was given one */
  noticed(name: string): boolean {
    return this.given.delete(name);
  }
}
