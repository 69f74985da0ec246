// Lint rules that find mistakes tsc does not: forgotten promises, holes in switches, leftovers.
import tseslint from 'typescript-eslint'

// A reader holds one file, one call and one condition in mind at a time. Import cycles are found by
// test/import-direction.test.ts, over types too.
const shape = {
  'max-lines': ['error', 300],
  'max-params': ['error', 4],
  'no-nested-ternary': 'error',
  'no-duplicate-imports': 'error'
}

export default tseslint.config(
  {
    ignores: ['**/node_modules/', 'packages/faiss/build/', 'out/', '.likeness/', 'bench/results/']
  },
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...shape,
      'no-console': ['error', { allow: ['log'] }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'no-empty': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/only-throw-error': 'error'
    }
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...shape,
      'no-unused-vars': 'error',
      'no-undef': 'off',
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'no-empty': 'error'
    }
  }
)
