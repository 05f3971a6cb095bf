/** Names on paper: a list of who has what, searched from end to end. */

import type { ErrName } from '@barreleye/spec';

export interface Line {
  readonly name: string;
  readonly owner: number;
  readonly entry: number;
}

export class RegistryModel {
  lines: Line[] = [];
  /** Who waits for which name. */
  waits: { readonly name: string; readonly waiter: number }[] = [];
  /** What those who waited were told. */
  readonly told: string[] = [];
  private readonly maxNames: number;

  constructor(maxNames: number) {
    this.maxNames = maxNames;
  }

  register(owner: number, name: string, entry: number): ErrName | 'OK' {
    if (!isName(name)) return 'NAME_ERR_INVALID';
    if (this.find(name) !== undefined) return 'NAME_ERR_EXISTS';
    const owned = this.lines.filter((line) => line.owner === owner);
    if (owned.length === this.maxNames) return 'NAME_ERR_FULL';
    this.lines = [...this.lines, { name, owner, entry }].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const wait of this.waits) {
      if (wait.name === name) this.told.push(`${wait.waiter}: ${entry}`);
    }
    this.waits = this.waits.filter((wait) => wait.name !== name);
    return 'OK';
  }

  deregister(owner: number, name: string): ErrName | number {
    const line = this.find(name);
    if (line === undefined) return 'NAME_ERR_UNKNOWN';
    if (line.owner !== owner) return 'NAME_ERR_NOT_OWNER';
    this.lines = this.lines.filter((each) => each !== line);
    return line.entry;
  }

  dropOwner(owner: number): number[] {
    const dropped = this.lines.filter((line) => line.owner === owner);
    this.lines = this.lines.filter((line) => line.owner !== owner);
    return dropped.map(({ entry }) => entry);
  }

  waitFor(waiter: number, name: string): ErrName | 'OK' {
    if (!isName(name)) return 'NAME_ERR_INVALID';
    const line = this.find(name);
    if (line === undefined) this.waits.push({ name, waiter });
    else this.told.push(`${waiter}: ${line.entry}`);
    return 'OK';
  }

  cancelWait(waiter: number, name: string): void {
    this.waits = this.waits.filter((wait) => wait.waiter !== waiter || wait.name !== name);
  }

  find(name: string): Line | undefined {
    return this.lines.find((line) => line.name === name);
  }
}

function isName(text: string): boolean {
  const allowed = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-';
  return text.length >= 1 && text.length <= 64 && [...text].every((c) => allowed.includes(c));
}
