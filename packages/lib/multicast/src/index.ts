/** Who sends to whom when one core has something to tell many. */

export {
  type Group,
  PLAN_KINDS,
  type Plan,
  type PlanKind,
  parentOf,
  planDepth,
  planSends,
  targetsOf,
  unreached,
} from './plan.ts';
