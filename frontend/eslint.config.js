import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import globals from 'globals'
import typescript from 'typescript-eslint'

/** Import arrows: api, shared → components → features → app. A folder reaches another only through "@/". */
function zone(files, ...forbidden) {
  const patterns = [
    { group: ['../**'], message: 'Reach another folder through "@/…".' },
    { group: ['@/api/schema'], message: 'Only src/api knows the schema.' },
    ...forbidden.map(([group, message]) => ({ group, message })),
  ]
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

const noApp = [['@/app/**'], 'Nothing imports the app: it is the top.']
const noFeatures = [['@/features/**'], 'Features stand above this folder and beside each other.']
const noComponents = [['@/components/**'], 'Components stand above this folder.']
const noApi = [['@/api', '@/api/**'], 'This folder does not talk to the server.']
const noReact = [['react', 'react-dom', '@mantine/**', '@/**'], 'The admin entry is plain TypeScript.']

export default typescript.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...typescript.configs.strict,
  reactHooks.configs.flat['recommended-latest'],
  {
    languageOptions: { globals: globals.browser },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
    },
  },
  zone(['src/app/**']),
  zone(['src/features/**'], noApp, noFeatures),
  zone(['src/components/**'], noApp, noFeatures),
  zone(['src/shared/**'], noApp, noFeatures, noComponents, noApi),
  zone(['src/admin/**'], noApp, noFeatures, noReact),
  {
    // The schema's one reader.
    files: ['src/api/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['../**', '@/**'], message: 'The api knows nobody.' }] }],
    },
  },
)
