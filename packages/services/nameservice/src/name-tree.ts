/**
 * Values by name, in the order of the names: a balanced tree (AVL), in which the two sides of every
 * node differ by at most one in height, whichever names a hostile client chooses.
 */

interface Node<V> {
  readonly name: string;
  readonly value: V;
  height: number;
  left: Tree<V>;
  right: Tree<V>;
}

type Tree<V> = Node<V> | undefined;

export class NameTree<V> {
  private root: Tree<V>;

  constructor() {
    this.root = undefined;
  }

  /** Height of the tree: the most names that a search compares. */
  get height(): number {
    return heightOf(this.root);
  }

  /** Put in a name that is not there yet. */
  add(name: string, value: V): void {
    this.root = add(this.root, name, value);
  }

  /** Take out a name that is there. */
  remove(name: string): void {
    this.root = remove(this.root, name);
  }

  /** Show the values of `from` and of all names behind it, in order, while `visit` says so. */
  visitFrom(from: string, visit: (value: V) => boolean): void {
    visitFrom(this.root, from, visit);
  }
}

function add<V>(node: Tree<V>, name: string, value: V): Node<V> {
  if (node === undefined) return { name, value, height: 1, left: undefined, right: undefined };
  if (name < node.name) node.left = add(node.left, name, value);
  else node.right = add(node.right, name, value);
  return balanced(node);
}

function remove<V>(node: Tree<V>, name: string): Tree<V> {
  if (node === undefined) return undefined;
  if (name < node.name) node.left = remove(node.left, name);
  else if (name > node.name) node.right = remove(node.right, name);
  else return joined(node.left, node.right);
  return balanced(node);
}

/** One tree of the two sides of a node that goes: the first of the right side takes its place. */
function joined<V>(left: Tree<V>, right: Tree<V>): Tree<V> {
  if (right === undefined) return left;
  let first = right;
  while (first.left !== undefined) first = first.left;
  first.right = remove(right, first.name);
  first.left = left;
  return balanced(first);
}

/** The tree of `node`, one of whose sides has just changed in height by one. */
function balanced<V>(node: Node<V>): Node<V> {
  const { left, right } = node;
  const lean = heightOf(left) - heightOf(right);
  if (left !== undefined && lean > 1) {
    if (heightOf(left.left) < heightOf(left.right)) node.left = turnedLeft(left);
    return turnedRight(node);
  }
  if (right !== undefined && lean < -1) {
    if (heightOf(right.right) < heightOf(right.left)) node.right = turnedRight(right);
    return turnedLeft(node);
  }
  setHeight(node);
  return node;
}

function turnedRight<V>(node: Node<V>): Node<V> {
  const top = node.left as Node<V>;
  node.left = top.right;
  top.right = node;
  setHeight(node);
  setHeight(top);
  return top;
}

function turnedLeft<V>(node: Node<V>): Node<V> {
  const top = node.right as Node<V>;
  node.right = top.left;
  top.left = node;
  setHeight(node);
  setHeight(top);
  return top;
}

function setHeight<V>(node: Node<V>): void {
  node.height = 1 + Math.max(heightOf(node.left), heightOf(node.right));
}

function heightOf<V>(node: Tree<V>): number {
  return node === undefined ? 0 : node.height;
}

/** Whether all wanted was shown and more may be. */
function visitFrom<V>(node: Tree<V>, from: string, visit: (value: V) => boolean): boolean {
  if (node === undefined) return true;
  if (node.name >= from) {
    if (!visitFrom(node.left, from, visit) || !visit(node.value)) return false;
  }
  return visitFrom(node.right, from, visit);
}
