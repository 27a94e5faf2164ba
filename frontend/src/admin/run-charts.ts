import uPlot from 'uplot'

import type { Series } from './run-live'

const HEIGHT = 140
const LEAST_WIDTH = 240

/** A function that draws one chart per metric into ``root``, each with its note, as the run goes on. */
export function drawCharts(root: HTMLElement | null, notes: Record<string, string>): (series: Series) => void {
  if (!root) return () => undefined
  const charts = new Map<string, { plot: uPlot; figure: HTMLElement; last: HTMLElement }>()
  root.classList.add('run-charts')

  new ResizeObserver(() => {
    for (const { plot, figure } of charts.values()) plot.setSize(sizeOf(figure))
  }).observe(root)

  return (series) => {
    for (const name of inOrderOf(Object.keys(notes), series.names())) {
      const points = series.points(name)
      const chart = charts.get(name) ?? addChart(root, name, notes[name] ?? '')
      charts.set(name, chart)
      chart.plot.setData(points)
      chart.last.textContent = format(points[1].at(-1))
    }
  }
}

/** The names in the order in which they are explained; the others after them. */
function inOrderOf(order: string[], names: string[]): string[] {
  const place = (name: string) => (order.indexOf(name) + 1 || order.length + 1)
  return [...names].sort((a, b) => place(a) - place(b))
}

function addChart(root: HTMLElement, name: string, note: string) {
  const figure = document.createElement('figure')
  const caption = document.createElement('figcaption')
  const title = document.createElement('span')
  const last = document.createElement('span')
  const about = document.createElement('small')
  title.textContent = name
  about.textContent = note
  caption.append(title, last, about)
  figure.append(caption)
  root.append(figure)

  const color = (variable: string) => getComputedStyle(root).getPropertyValue(variable).trim()
  const axis = {
    stroke: () => color('--run-muted'),
    grid: { stroke: () => color('--run-line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  const plot = new uPlot(
    {
      ...sizeOf(figure),
      legend: { show: false },
      cursor: { sync: { key: 'run' }, y: false },
      scales: { x: { time: false } },
      series: [
        {},
        { label: name, stroke: () => color('--run-accent'), width: 1.5, points: { show: (u) => u.data[0].length < 40, size: 4 } },
      ],
      axes: [
        { ...axis, size: 24 },
        { ...axis, size: 52, values: (_plot, values) => values.map(format) },
      ],
    },
    [[], []],
    figure,
  )
  // The step and the value under the cursor, in the caption.
  plot.root.addEventListener('mousemove', () => {
    const at = plot.cursor.idx
    if (at != null) last.textContent = `${plot.data[0][at]}: ${format(plot.data[1]?.[at])}`
  })
  plot.root.addEventListener('mouseleave', () => (last.textContent = format(plot.data[1]?.at(-1))))
  return { plot, figure, last }
}

function sizeOf(figure: HTMLElement): { width: number; height: number } {
  return { width: Math.max(LEAST_WIDTH, figure.clientWidth - 24), height: HEIGHT }
}

function format(value: number | null | undefined): string {
  if (value == null) return ''
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(1)
  return String(Number(value.toPrecision(4)))
}
