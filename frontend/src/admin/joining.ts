/** Curves with steps of their own as columns over all their steps; null where a curve has no value. */
export function joined(curves: readonly [number[], number[]][]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(curves.flatMap(([own]) => own))].sort((one, other) => one - other)
  const columns = curves.map(([own, values]) => {
    const known = new Map(own.map((step, place) => [step, values[place]!]))
    return steps.map((step) => known.get(step) ?? null)
  })
  return [steps, ...columns]
}
