import js from '@eslint/js';
import ts from 'typescript-eslint';

export default ts.config({ ignores: ['dist', 'src/schema.d.ts'] }, js.configs.recommended, {
  files: ['**/*.ts'],
  extends: [...ts.configs.strictTypeChecked],
  languageOptions: { parserOptions: { project: './tsconfig.json' } },
  rules: {
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    // for (;;) is how a stream is read.
    '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  },
});
