import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '@/api'
import { showAt } from '@/testing/query'

import { Loaded } from './loaded'

const failed = (status: number, code = 'x', detail = '') => new ApiError({ status, code, detail })

function open(query: { data?: string[]; error?: Error | null }) {
  const refetch = vi.fn()
  const { queries } = showAt(
    '/',
    <Loaded query={{ data: query.data, error: query.error ?? null, refetch }} isEmpty={(list) => list.length === 0} empty={<p>None</p>}>
      {(list) => <p>{list.join(', ')}</p>}
    </Loaded>,
    { me: { id: 1 } },
  )
  return { refetch, queries }
}

describe('what was asked for', () => {
  it('is under way', () => {
    open({})

    expect(screen.getByRole('status').getAttribute('aria-busy')).toBe('true')
  })

  it('is there', () => {
    open({ data: ['a', 'b'] })

    expect(screen.getByText('a, b')).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('is empty', () => {
    open({ data: [] })

    expect(screen.getByText('None')).toBeTruthy()
  })

  it('did not come, and is asked for again', async () => {
    const { refetch } = open({ error: failed(0) })
    expect(screen.getByRole('alert').textContent).toContain('cannot be reached')

    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))

    expect(refetch).toHaveBeenCalledOnce()
  })

  it('is from before the server went away', () => {
    open({ data: ['a'], error: failed(503) })

    expect(screen.getByText('a')).toBeTruthy()
    expect(screen.getByRole('alert').textContent).toContain('may have changed')
  })

  it('is not for the reader, who need not try again', () => {
    open({ error: failed(404, 'not_found', 'There is nothing here that you may see.') })

    expect(screen.getByRole('alert').textContent).toContain('nothing here that you may see')
    expect(screen.queryByRole('button')).toBeNull()
  })

  it('waits for somebody to sign in again', () => {
    const { queries } = open({ error: failed(403, 'not_authenticated') })

    expect(screen.getByRole('alert').textContent).toContain('session has ended')
    expect(queries.getQueryState(['me'])?.isInvalidated).toBe(true)
  })
})
