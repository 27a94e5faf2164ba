import './run-page.css'
import 'uplot/dist/uPlot.min.css'

import uPlot from 'uplot'

import { joined } from './joining'
import { type Live, Series } from './run-live'

type Page = {
  runs: { name: string; url: string }[]
  notes: Record<string, string>
  words: { save: string; step: string }
}

const COLORS = ['#3b4fc4', '#b45309', '#0f766e', '#a21caf', '#4d7c0f', '#be123c']
const HEIGHT = 220
const LEAST_WIDTH = 240

const page = JSON.parse(document.getElementById('run-compare')?.textContent ?? 'null') as Page | null
const root = document.getElementById('run-charts')
if (page && root) void draw(page, root)

/** One chart per metric that any of the runs has, with a curve for each run. */
async function draw({ runs, notes, words }: Page, root: HTMLElement): Promise<void> {
  const all = await Promise.all(runs.map(({ url }) => wholeSeries(url)))
  root.classList.add('run-charts', 'run-charts-wide')
  for (const name of new Set(all.flatMap((series) => series.names()))) {
    addChart(root, name, notes[name] ?? '', runs.map((run) => run.name), joined(all.map((series) => series.points(name))), words)
  }
}

/** A long run comes in pages. */
async function wholeSeries(url: string): Promise<Series> {
  const series = new Series()
  for (let next = 0; ; ) {
    const address = new URL(url, location.href)
    address.searchParams.set('after', String(next))
    const response = await fetch(address, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
    if (!response.ok) return series
    const live = (await response.json()) as Live
    if (!series.add(live.metrics, live.attempt)) return series
    next = live.next
  }
}

function addChart(root: HTMLElement, name: string, note: string, runs: string[], data: uPlot.AlignedData, words: Page['words']): void {
  const figure = document.createElement('figure')
  const caption = document.createElement('figcaption')
  const title = document.createElement('span')
  const button = document.createElement('button')
  const about = document.createElement('small')
  title.textContent = name
  about.textContent = note
  button.type = 'button'
  button.textContent = words.save
  button.className = 'run-save'
  caption.append(title, button, about)
  figure.append(caption)
  root.append(figure)

  const color = (variable: string) => getComputedStyle(root).getPropertyValue(variable).trim()
  const axis = { stroke: () => color('--run-muted'), grid: { stroke: () => color('--run-line'), width: 1 }, ticks: { show: false } }
  const width = () => Math.max(LEAST_WIDTH, figure.clientWidth - 24)
  const plot = new uPlot(
    {
      width: width(),
      height: HEIGHT,
      scales: { x: { time: false } },
      series: [{ label: words.step }, ...runs.map((run, place) => ({ label: run, stroke: COLORS[place % COLORS.length], width: 1.5, spanGaps: true }))],
      axes: [axis, { ...axis, size: 60 }],
    } as uPlot.Options,
    data,
    figure,
  )
  new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT })).observe(figure)
  button.addEventListener('click', () => savePicture(plot.ctx.canvas, name, runs, color('--run-muted')))
}

/** The chart with its name and what each color stands for, as a PNG. */
function savePicture(chart: HTMLCanvasElement, name: string, runs: string[], color: string): void {
  const line = 18 * devicePixelRatio
  const picture = document.createElement('canvas')
  picture.width = chart.width
  picture.height = chart.height + line * (runs.length + 2)
  const context = picture.getContext('2d')!
  context.fillStyle = document.documentElement.classList.contains('dark') ? '#16181d' : '#ffffff'
  context.fillRect(0, 0, picture.width, picture.height)
  context.font = `${13 * devicePixelRatio}px system-ui, sans-serif`
  context.fillStyle = color
  context.fillText(name, line / 2, line)
  context.drawImage(chart, 0, line * 1.5)
  runs.forEach((run, place) => {
    context.fillStyle = COLORS[place % COLORS.length]!
    context.fillText(`■ ${run}`, line / 2, chart.height + line * (place + 2.3))
  })
  picture.toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${name}.png`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
