/** What was handed in and is not stored at the server yet. */
export type Item = {
  /** Made by the page: the server stores what carries it once. */
  key: string
  person: number
  kind: string
  /** What it is about: of two about the same, the first goes first. */
  target: string
  /** The screen where it was made, as a path inside the app. */
  path: string
  body: object
  /** What that screen needs to show it again. */
  shown: unknown
  at: number
  order: number
  /** The server's no, in its own words. Nothing sends it again but its owner. */
  refusal: Refusal | null
}

export type Refusal = { status: number; code: string; detail: string }

export type OutboxStore = {
  all: (person: number) => Promise<Item[]>
  has: (key: string) => Promise<boolean>
  put: (item: Item) => Promise<void>
  remove: (key: string) => Promise<void>
}

const NAME = 'rankwright'
const ITEMS = 'outbox'

/** IndexedDB: it holds more than localStorage, and is on the disk when it says so. */
export class BrowserStore implements OutboxStore {
  private opening: Promise<IDBDatabase> | null = null

  async all(person: number): Promise<Item[]> {
    const items = (await this.ask('readonly', (rows) => rows.getAll())) as Item[]
    return items.filter((item) => item.person === person).sort((a, b) => a.order - b.order)
  }

  async has(key: string): Promise<boolean> {
    return (await this.ask('readonly', (rows) => rows.count(key))) > 0
  }

  async put(item: Item): Promise<void> {
    await this.ask('readwrite', (rows) => rows.put(item))
  }

  async remove(key: string): Promise<void> {
    await this.ask('readwrite', (rows) => rows.delete(key))
  }

  private async ask<T>(mode: IDBTransactionMode, act: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    this.opening ??= this.open()
    const database = await this.opening.catch((error: unknown) => {
      this.opening = null
      throw error
    })
    return new Promise((resolve, reject) => {
      // Strict: on the disk, not only in the browser's mind, so that it survives a power cut.
      const transaction = database.transaction(ITEMS, mode, { durability: 'strict' })
      const request = act(transaction.objectStore(ITEMS))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
    })
  }

  private open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(ITEMS, { keyPath: 'key' })
      request.onerror = () => reject(request.error ?? new Error('refused'))
      request.onblocked = () => reject(new Error('blocked'))
      request.onsuccess = () => {
        const database = request.result
        // Whoever clears the site's data, or brings a newer page, closes it; the next one asks again.
        database.onclose = database.onversionchange = () => {
          database.close()
          this.opening = null
        }
        resolve(database)
      }
    })
  }
}

/** As long as the page lives: for browsers that keep nothing. */
export class MemoryStore implements OutboxStore {
  private readonly items = new Map<string, Item>()

  all(person: number): Promise<Item[]> {
    const mine = [...this.items.values()].filter((item) => item.person === person)
    return Promise.resolve(mine.sort((a, b) => a.order - b.order))
  }

  has(key: string): Promise<boolean> {
    return Promise.resolve(this.items.has(key))
  }

  put(item: Item): Promise<void> {
    this.items.set(item.key, item)
    return Promise.resolve()
  }

  remove(key: string): Promise<void> {
    this.items.delete(key)
    return Promise.resolve()
  }
}
