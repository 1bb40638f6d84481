import js from '@eslint/js';
import rxjs from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import layers from './eslint.layers.mjs';

export default defineConfig(
  globalIgnores(['dist/', 'coverage/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, rxjs.configs.strict],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // With noUncheckedIndexedAccess the only short way to say that an index is in bounds.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Passing on what was caught.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      'rxjs-x/throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        // Its text is what it is for.
        { allowNumber: true, allow: [{ from: 'file', name: 'BoundAddress' }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: 'error',
      // Not for parameters: the rule takes a function that returns an observable for one.
      'rxjs-x/finnish': [
        'error',
        { functions: false, methods: false, objects: false, parameters: false, strict: true },
      ],
      // Types do not tell which observables never fail, and state$, events$ and sessions$ never do.
      'rxjs-x/no-ignored-error': 'off',
    },
  },
  layers,
  {
    files: ['spec/**', 'demos/**', 'bench/**'],
    rules: {
      // Recorded vectors come as JSON, and a test may ask what a method is without calling it.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // Here an observable that is empty has to fail loudly.
      'rxjs-x/no-ignored-default-value': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { Buffer: false, console: false, performance: false, process: false, URL: false } },
  },
);
