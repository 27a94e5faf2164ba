import './run-page.css'
import 'uplot/dist/uPlot.min.css'

import { type Live, type RunPage, Series, pauseBefore } from './run-live'
import { drawCharts } from './run-charts'

const SAID_MS = 10_000

const page = JSON.parse(document.getElementById('run-page')?.textContent ?? 'null') as RunPage | null
if (page) void follow(page)

/** Keep the page in step with its run until the run has ended. */
async function follow({ url, labels, notes, ...shown }: RunPage): Promise<void> {
  const series = new Series()
  const draw = drawCharts(document.getElementById('run-charts'), notes)
  let saidAt = Date.now()
  let next = 0
  let failures = 0

  for (;;) {
    try {
      const live = await read(url, next)
      const isNews = series.add(live.metrics, live.attempt)
      next = live.next
      failures = 0
      if (isNews) draw(series)
      if (live.status !== shown.status) await renew('[data-run-part], #run-said')
      else if (isNews && Date.now() - saidAt > SAID_MS) {
        await renew('#run-said, #run-health')
        saidAt = Date.now()
      }
      shown.status = live.status
      show(live, labels)
      // A long run comes in pages: read on until caught up.
      if (live.metrics.length > 0 && !document.hidden) {
        await pause(isEnded(live) ? 0 : 2000)
        continue
      }
      if (isEnded(live)) return
    } catch {
      failures += 1
    }
    await pause(pauseBefore(document.hidden, failures))
  }
}

async function read(url: string, after: number): Promise<Live> {
  const address = new URL(url, location.href)
  address.searchParams.set('after', String(after))
  const response = await fetch(address, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
  if (!response.ok) throw new Error(String(response.status))
  return (await response.json()) as Live
}

/** Bring what only the server can say (the result, the last answers) up to date. */
async function renew(parts: string): Promise<void> {
  const response = await fetch(location.href, { credentials: 'same-origin' })
  if (!response.ok) throw new Error(String(response.status))
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  for (const part of document.querySelectorAll(parts)) {
    part.replaceWith(fresh.getElementById(part.id) ?? part)
  }
}

function show(live: Live, labels: Record<string, string>): void {
  write('status', labels[live.status] ?? live.status)
  write('step', live.steps ? `${live.step ?? 0} / ${live.steps}` : '')
  write('failure', live.failure ?? '')
  for (const bar of document.querySelectorAll<HTMLProgressElement>('progress[data-run="progress"]')) {
    bar.max = live.steps || 1
    bar.value = live.step ?? 0
  }
}

function write(name: string, text: string): void {
  for (const element of document.querySelectorAll(`[data-run="${name}"]`)) {
    if (element.textContent !== text) element.textContent = text
  }
}

function isEnded({ finished_at, status }: Live): boolean {
  return Boolean(finished_at) || ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(status)
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
