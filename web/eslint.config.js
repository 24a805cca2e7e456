import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

export default ts.config({ ignores: ['dist', 'docs', 'public', 'tools'] }, js.configs.recommended, {
  files: ['**/*.{ts,tsx}'],
  extends: [...ts.configs.strictTypeChecked],
  plugins: { 'react-hooks': hooks },
  languageOptions: { parserOptions: { project: './tsconfig.json' } },
  rules: {
    ...hooks.configs.recommended.rules,
    // Of the React compiler, which is not used.
    'react-hooks/incompatible-library': 'off',
    'react-hooks/preserve-manual-memoization': 'off',
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
    '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  },
});
