/** A moment of the server's as day and time, in the reader's language and time zone. */
export function momentOf(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment))
}

/** A day, named by its date alone, as its weekday. */
export function weekdayOf(date: string, language: string): string {
  // Noon, so that no time zone makes it the day before.
  return new Intl.DateTimeFormat(language, { weekday: 'short' }).format(new Date(`${date}T12:00:00`))
}

/** Seconds as a person says them: "45 sec", "3 min". */
export function durationOf(seconds: number, language: string): string {
  const [value, unit] = seconds < 100 ? [seconds, 'second'] : [seconds / 60, 'minute']
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 0 }).format(value)
}
