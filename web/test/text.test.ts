import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { bytes, t } from '@/text';
import { de } from '@/text/de';
import { en } from '@/text/en';

const src = join(import.meta.dirname, '../src');

function leaves(tree: object, path = ''): [string, unknown][] {
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? leaves(value, `${path}${key}.`) : [[path + key, value]],
  );
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

describe('languages', () => {
  it('have the same keys', () => {
    expect(leaves(de).map(([key]) => key)).toEqual(leaves(en).map(([key]) => key));
  });

  it('name the same variables', () => {
    const variables = (text: unknown) => (String(text).match(/\{\w+\}/g) ?? []).toSorted();
    const german = new Map(leaves(de));
    for (const [key, text] of leaves(en))
      expect([key, variables(german.get(key))]).toEqual([key, variables(text)]);
  });

  it('are used up: no key that no file names', () => {
    const code = files(src)
      .filter((path) => !path.includes('/text/'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    // t(`group.${which}`) stands for all of its group.
    const groups = [...code.matchAll(/t\(\s*`([\w.]+)\.\$\{/g)].map(([, group]) => `${group ?? ''}.`);
    const unused = leaves(en)
      .map(([key]) => key.replace(/\.(one|other)$/, ''))
      .filter((key) => !code.includes(`'${key}'`) && !groups.some((group) => key.startsWith(group)));
    expect(unused).toEqual([]);
  });
});

describe('texts', () => {
  it('take variables and numbers', () => {
    expect(t('palette.goTo', { page: 'Upload' })).toBe('Go to Upload');
    expect(t('palette.goTo', {})).toBe('Go to {page}');
    expect(bytes(999)).toBe('999 bytes');
    expect(bytes(48_213)).toBe('48 kB');
    expect(bytes(3_450_000_000)).toBe('3.5 GB');
  });
});

/** Words that a person would read and no other language could replace. */
function literals(path: string): string[] {
  const file = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: string[] = [];
  const note = (node: ts.Node, text: string) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    if (/\p{L}{2}/u.test(text)) found.push(`${relative(src, path)}:${line + 1}: ${text.trim()}`);
  };
  const read = new Set([
    'label',
    'title',
    'placeholder',
    'alt',
    'aria-label',
    'aria-description',
    'text',
    'hint',
  ]);
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) note(node, node.text);
    if (ts.isJsxAttribute(node) && read.has(node.name.getText()) && node.initializer) {
      const value = node.initializer;
      if (ts.isStringLiteral(value)) note(node, value.text);
      else if (ts.isJsxExpression(value) && value.expression && ts.isStringLiteral(value.expression))
        note(node, value.expression.text);
    }
    if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) {
      if (ts.isStringLiteral(node.expression)) note(node, node.expression.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('components', () => {
  it('hold no words of their own', () => {
    expect(
      files(src)
        .filter((path) => path.endsWith('.tsx'))
        .flatMap(literals),
    ).toEqual([]);
  });

  it('never make markup out of text', () => {
    for (const path of files(src)) {
      const code = readFileSync(path, 'utf8');
      expect([
        path,
        /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write/.test(code),
      ]).toEqual([path, false]);
    }
  });
});
