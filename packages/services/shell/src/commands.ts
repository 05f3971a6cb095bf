/** The commands that there are, by name. */

import { assert } from '@barreleye/core';
import type { Command, Group } from './command.ts';

export class Commands {
  private readonly byName: Map<string, Command>;

  constructor(list: readonly Command[]) {
    this.byName = new Map(list.map((command) => [command.name, command]));
    assert(this.byName.size === list.length, 'no two commands have the same name');
  }

  find(name: string): Command | undefined {
    return this.byName.get(name);
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  /** Those under one heading, in the order in which help shows them. */
  inGroup(group: Group): Command[] {
    return [...this.byName.values()].filter((command) => command.group === group);
  }
}
