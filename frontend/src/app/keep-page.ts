import { whenIdle } from '@/shared/when-idle'

/** From the second visit on, the page opens without a network too: see worker/sw.ts. */
export function keepPage(): void {
  if (import.meta.env.PROD && 'serviceWorker' in navigator) whenIdle(() => navigator.serviceWorker.register('/app/sw.js'))
}
