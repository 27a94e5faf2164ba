type Refusal = { status: number; code: string; detail: string; fields?: Record<string, unknown> }

/** The server's no, or no answer at all (status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** Words for the reader; empty when nobody answered. */
  readonly detail: string
  readonly fields: Record<string, unknown>

  constructor({ status, code, detail, fields = {} }: Refusal) {
    super(detail || code)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.detail = detail
    this.fields = fields
  }

  /** Sending the same again may work: the network or the server failed, not the request. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429 || this.status === 408
  }

  /** No work here until somebody has looked; nothing is wrong and nothing is lost. */
  get isPause(): boolean {
    return this.code === 'paused'
  }

  /** Not for this person, or not there: asking again changes nothing. */
  get isClosed(): boolean {
    return (this.status === 403 && !this.isSignedOut) || this.status === 404
  }

  /** Nobody is signed in, or somebody else is. */
  get isSignedOut(): boolean {
    return this.code === 'not_authenticated' || this.code === 'other_person' || this.isSuspended
  }

  /** Whoever was signed in may not work until a researcher lets them in again. */
  get isSuspended(): boolean {
    return this.code === 'suspended'
  }
}

/** The error that an answer other than 2xx stands for. */
export async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const told = typeof body === 'object' && body !== null ? (body as Partial<Refusal>) : {}
  return new ApiError({
    status: response.status,
    code: told.code ?? `http_${response.status}`,
    detail: told.detail ?? '',
    fields: told.fields ?? {},
  })
}
