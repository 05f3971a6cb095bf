/** I1, I3, I18: what the table of capability types must be like for the rest to hold. */

import { type CapTypeInfo, capTypeName, isRetypeEdge, ObjType } from '@barreleye/spec';

/** Check the rows of the table, by type number. */
export function checkTypes(rows: readonly CapTypeInfo[], problems: string[]): void {
  for (const { type, name, parents, mapping, mappable } of rows) {
    const late = parents.find((parent) => parent > type);
    if (late !== undefined)
      problems.push(`I1 ${name} stands before its parent ${capTypeName(late)}`);
    if (mapping && rows.some((source) => isRetypeEdge(source.type, type))) {
      problems.push(`I3 a retype makes a ${name}`);
    }
    if (mapping && !parents.every((parent) => rows[parent]?.mappable)) {
      problems.push(`I18 there is a ${name}, but its object cannot be mapped`);
    }
    if (mappable && (type === ObjType.RAM || type === ObjType.PhysAddr)) {
      problems.push(`I18 ${name} can be mapped`);
    }
  }
}
