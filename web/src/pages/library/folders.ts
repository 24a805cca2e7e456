/* Folders as the service lists them, made into the tree that they are. */

export interface Folder {
  path: string;
  /** Of pictures directly in it. */
  count: number;
}

export interface Node {
  path: string;
  /** What it is called below its parent: several names, where nothing lies between them. */
  name: string;
  count: number;
  /** With all that lies below. */
  total: number;
  children: Node[];
}

/** One line of the tree as it is shown. */
export interface Row {
  node: Node;
  /** From 1. */
  level: number;
  /** Undefined where nothing lies below. */
  open: boolean | undefined;
  position: number;
  siblings: number;
}

function child(parent: Node, name: string): Node {
  const known = parent.children.at(-1);
  // In the order of a tree: what belongs to a folder comes in one piece.
  if (known?.name === name) return known;
  const fresh: Node = { path: `${parent.path}/${name}`, name, count: 0, total: 0, children: [] };
  parent.children.push(fresh);
  return fresh;
}

/** A folder that holds nothing but one other is a part of that one's name. */
function settle(node: Node): Node {
  const children = node.children.map(settle);
  const [only] = children;
  if (only && children.length === 1 && node.count === 0 && node.name)
    return { ...only, name: `${node.name}/${only.name}` };
  const total = children.reduce((sum, one) => sum + one.total, node.count);
  return { ...node, children, total };
}

/** What lies at the root itself is in no folder. */
export function treeOf(folders: readonly Folder[]): Node[] {
  const root: Node = { path: '', name: '', count: 0, total: 0, children: [] };
  for (const { path, count } of folders) {
    const names = path.split('/').filter(Boolean);
    if (names.length > 0) names.reduce(child, root).count = count;
  }
  return settle(root).children;
}

/** Whether `path` is `folder` or lies below it. */
export const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Words may be anywhere in the path, one of them is in the name. */
export function isCalled(node: Node, words: readonly string[]): boolean {
  const path = node.path.toLocaleLowerCase();
  const name = node.name.toLocaleLowerCase();
  return words.every((word) => path.includes(word)) && words.some((word) => name.includes(word));
}

/** Only what is called so, and the way there. */
export function sift(nodes: readonly Node[], words: readonly string[]): Node[] {
  return nodes.flatMap((node) => {
    const children = sift(node.children, words);
    return isCalled(node, words) || children.length > 0 ? [{ ...node, children }] : [];
  });
}

/** What is in sight when these are open. */
export function rowsOf(nodes: readonly Node[], isOpen: (node: Node) => boolean, level = 1): Row[] {
  return nodes.flatMap((node, at) => {
    const open = node.children.length > 0 ? isOpen(node) : undefined;
    const row = { node, level, open, position: at + 1, siblings: nodes.length };
    return open ? [row, ...rowsOf(node.children, isOpen, level + 1)] : [row];
  });
}
