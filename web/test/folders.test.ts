import { describe, expect, it } from 'vitest';
import { rowsOf, sift, treeOf, within, type Node } from '@/pages/library/folders';

const folder = (path: string, count = 1) => ({ path, count });
const told = (nodes: readonly Node[]): unknown[] =>
  nodes.map(({ name, total, children }) => (children.length ? [name, total, told(children)] : [name, total]));

describe('folders', () => {
  it('become the tree that they are', () => {
    const tree = treeOf([folder('/a', 2), folder('/a/b', 3), folder('/a/b/c', 4), folder('/a b', 5)]);
    expect(told(tree)).toEqual([
      ['a', 9, [['b', 7, [['c', 4]]]]],
      ['a b', 5],
    ]);
    expect(tree[0]?.children[0]?.path).toBe('/a/b');
  });

  it('that hold nothing but one other are a part of its name', () => {
    const tree = treeOf([folder('/home/ada/pictures/x'), folder('/home/ada/pictures/y/z')]);
    expect(told(tree)).toEqual([
      [
        'home/ada/pictures',
        2,
        [
          ['x', 1],
          ['y/z', 1],
        ],
      ],
    ]);
    expect(tree[0]?.path).toBe('/home/ada/pictures');
    expect(told(treeOf([folder('/a'), folder('/a/b')]))).toEqual([['a', 2, [['b', 1]]]]);
  });

  it('are none where there are none, and the root is none', () => {
    expect(treeOf([])).toEqual([]);
    expect(treeOf([folder('/')])).toEqual([]);
  });

  it('are found by their names, with the way there', () => {
    const tree = treeOf([folder('/2024'), folder('/2024/Rome'), folder('/2024/Oslo'), folder('/2025/Rome')]);
    expect(told(sift(tree, ['rome']))).toEqual([
      ['2024', 3, [['Rome', 1]]],
      ['2025/Rome', 1],
    ]);
    expect(told(sift(tree, ['2024', 'os']))).toEqual([['2024', 3, [['Oslo', 1]]]]);
    expect(sift(tree, ['rome', 'oslo'])).toEqual([]);
  });

  it('are in sight when those above are open', () => {
    const tree = treeOf([folder('/a'), folder('/a/b'), folder('/c')]);
    expect(rowsOf(tree, () => false).map(({ node, open }) => [node.path, open])).toEqual([
      ['/a', false],
      ['/c', undefined],
    ]);
    expect(
      rowsOf(tree, () => true).map(({ node, level, position, siblings }) => [
        node.path,
        level,
        position,
        siblings,
      ]),
    ).toEqual([
      ['/a', 1, 1, 2],
      ['/a/b', 2, 1, 1],
      ['/c', 1, 2, 2],
    ]);
  });

  it('lie within each other by whole names', () => {
    expect(within('/a/b', '/a')).toBe(true);
    expect(within('/a', '/a')).toBe(true);
    expect(within('/ab', '/a')).toBe(false);
  });
});
