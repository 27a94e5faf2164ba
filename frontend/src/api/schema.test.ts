// @vitest-environment node
import { readFile } from 'node:fs/promises'

import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import { expect, it } from 'vitest'

it('the committed types are what `npm run api` makes of the committed schema', async () => {
  const generated = COMMENT_HEADER + astToString(await openapiTS(new URL('../../openapi.yml', import.meta.url)))

  expect(await readFile(new URL('schema.d.ts', import.meta.url), 'utf8')).toBe(generated)
})
