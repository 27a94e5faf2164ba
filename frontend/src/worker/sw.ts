import { NetworkFirst, Serwist } from 'serwist'

/** Which files of the build are kept; the build writes the list. */
declare const __KEPT_FILES__: string[]
/** As much of a worker's scope as is used here: its own types would be everybody's. */
declare const self: { addEventListener(name: 'install', run: (event: { waitUntil(done: Promise<unknown>): void }) => void): void }

/** One page carries all screens. It comes from the server wherever that answers in time. */
const PAGE = '/app/'
const page = new NetworkFirst({
  cacheName: 'page',
  // Then the page of the last visit opens instead. What the server sends later is kept for the next one.
  networkTimeoutSeconds: 5,
  // Whatever the address below /app/, and whoever reads: the page is the same, and holds nobody's data.
  matchOptions: { ignoreVary: true },
  plugins: [{ cacheKeyWillBeUsed: () => Promise.resolve(PAGE) }],
})

// The page that is open when this begins has come without us.
self.addEventListener('install', (event) => event.waitUntil(caches.open('page').then((kept) => kept.add(PAGE))))

// Nothing of the API is kept here: drafts and what is handed in have places of their own.
new Serwist({
  // A file's name carries its digest.
  precacheEntries: __KEPT_FILES__.map((url) => ({ url, revision: null })),
  skipWaiting: true,
  clientsClaim: true,
  runtimeCaching: [{ matcher: ({ request }) => request.mode === 'navigate', handler: page }],
}).addEventListeners()
